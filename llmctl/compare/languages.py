"""Which language a text is in: by its script, and where several share one, by their commonest
words, by letters that only some of them have, and by endings.

Small and careful rather than clever: a name or a single word is no language, and nothing is told of
a text half in one script and half in another. Code and addresses in a text are not looked at.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from unicodedata import normalize

# Of scripts that one of our languages has to itself, or shares with rarer ones.
SCRIPTS = {
    "latin": re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]"),
    "cyrillic": re.compile(r"[Ѐ-ӿ]"),
    "han": re.compile(r"[㐀-䶿一-鿿々]"),
    "kana": re.compile(r"[ぁ-ヺー]"),
    "hangul": re.compile(r"[가-힣ᄀ-ᇿ]"),
    "arabic": re.compile(r"[ء-ۿ]"),
    "hebrew": re.compile(r"[א-ת]"),
}
# Letters of Arabic script that Arabic itself does not have: Persian, Urdu and others do.
NOT_ARABIC = re.compile(r"[پچژگکیټډړڑےہں]")
# Words of Chinese that hardly occur in Japanese: of any length of text they are proof enough.
CHINESE = re.compile(r"[的这那们吗什么个说会对没还过吧呢了是很您这們嗎麼個說會對沒還過這]")
FEW_HAN = 8  # so many without any kana are Chinese anyway
MOST = 0.6  # the share of a text's letters that its main script has at least
MARGIN = 0.45  # evidence more than for the next one: about half a word that only it has
DENSITY = 0.15  # share of words that are known: in a language that is not ours there are a few, too
FEW_WORDS = 8  # from so many on, one known word may be an accident however often it comes
STRANGE = -1.0  # what a word says of a language that lacks its letters
ABSENT = 0.5  # what a letter says that should be there and is not
LOOKED_AT = 20_000  # characters
MOST_WORDS = 10_000  # remembered

# Function words; what several languages share counts less.
WORDS: Mapping[str, str] = {
    "en": "the of and to in is that it for was on are as with his they at be this have from or had"
    " by not but what all were we when your can said there an which their will would about if them"
    " these so some her him has its than been who may do did you he she my no does because into i a"
    " yes hello thanks",
    "de": "der die das und ist von zu den mit sich des auf für nicht ein eine einer eines im dem es"
    " auch als an werden aus er hat dass daß sie nach wird bei noch wie einem über so zum war haben"
    " nur oder aber vor zur bis mehr durch man sein wurde sind ich wir ihr kann wenn keine mir"
    " ja nein danke",
    "fr": "le la les de des du et est un une que qui dans pour pas sur au aux ce cette il elle nous"
    " vous ils sont avec plus par ne se son sa ses ou mais comme été être ont leur fait tout je en"
    " où y l d c qu j n s si sans même était deux très a oui non merci bonjour",
    "es": "el la los las de del y es un una que en para por con no se su sus al lo como más pero le"
    " ha este esta son fue o ya entre cuando muy sin sobre también me hasta hay donde quien desde"
    " todo nos durante uno ni ese eso porque qué está yo él ella ser tiene a sí gracias hola",
    "it": "il lo la gli le i di del della dei delle è e un una che in per con non si su al alla da"
    " dal sono come più ma ha anche nel nella questo questa ci se o era essere ho hanno quando ne"
    " suo sua tra perché cui solo io c l d dell all nell un a sì ciao grazie",
    "pt": "o a os as de do da dos das e é um uma que em para por com não se no na nos nas ao à mais"
    " mas como foi são ou seu sua ser quando muito há já está eu também só pelo pela até isso ela"
    " ele entre era depois sem mesmo aos ter seus quem me esse você tem sim obrigado olá",
    "nl": "de het een en van is in te dat op niet met voor zijn aan er die ook als maar om hij ze"
    " bij nog naar dan uit wordt door wat worden of over tot kan deze geen wel zo heeft werd ik je",
    "pl": "i a w na z do nie jest że się o to jak za od po co ale są przez dla oraz być czy tym"
    " jego tylko może który która które ma był lub przy jej już ich",
    "tr": "ve bir bu da de için ile çok ne daha olarak gibi olan haklar insan bütün en kadar"
    " var sonra ya değil ise"
    " ama o mi her şey ben",
    "id": "yang dan di ini itu dengan untuk tidak dari pada adalah dalam akan ke juga oleh sebagai"
    " ada atau bisa karena saya dapat orang lebih mereka kita anda",
    "sv": "och att det i en är som på av för med den till inte om ett har de jag var sig från vi så"
    " kan när men eller hade ska han hon",
    "ru": "и в не на что он с как это по но из у за от так же для вы бы о его только мне было вот"
    " меня еще ещё нет ему когда даже ли если уже или ни быть был него до вас там потом себя ничего"
    " может они тут где есть надо ней мы тебя их чем была сам чтоб без чего раз тоже себе под будет"
    " кто этот того потому этого какой ним здесь этом один мой тем чтобы нее были куда всех при два"
    " об другой хоть после над больше тот через эти нас про всего них какая много разве три эту моя"
    " свою этой перед иногда лучше чуть том такой им более всегда конечно всю между также я она да"
    " привет спасибо пожалуйста",
    "uk": "і в не на що він з як це по але із у за від так ж для ви б о його тільки мені було ось"
    " мене ще ні йому коли навіть чи якщо вже або ані бути був нього до вас там потім себе нічого"
    " може вони тут де є треба ній ми тебе їх ніж була сам щоб без чого раз теж під буде хто цей"
    " того тому цього який яка яке які цьому один мій були всіх при два про інший після над більше"
    " той через ці нас них цю ця моя свою цієї перед та й також я вона зі"
    " так привіт дякую",
    "be": "і ў не на што ён з як гэта па але у за ад так жа для вы бы аб яго толькі мне было вось"
    " мяне яшчэ не яму калі нават ці калі ўжо або ані быць быў яго да вас там потым сябе нічога"
    " можа яны тут дзе ёсць трэба мы цябе іх чым была сам каб без чаго раз таксама пад будзе хто"
    " гэты таго таму гэтага які якая якое якія мой былі ўсіх пры два пра другі пасля над больш той"
    " праз гэтыя нас свой перад я яна са гэтай",
    "bg": "и в не на че е да се за от са с по като но си до при той това тази този ще или един една"
    " едно ги го му ме ми те как какво кой когато през след още само беше със има между която който"
    " които бил съм може много аз ти тя ние вие още всички",
    "sr": "и у је да се на за су са од не као што то али или који која које из по до био све само"
    " због бити како кад ће он она они ово овај након између",
    "kk": "және бір бұл да де мен пен бен үшін деп ол болып емес қазақ сол осы не бар жоқ еді екен"
    " ал ғана туралы кейін дейін немесе олар біз сіз оның болды болады өз ең көп әр сияқты арқылы"
    " қарай тек қандай қалай мұнда астанасы",
}
# Letters beside those that all languages of the script have.
LETTERS: Mapping[str, str] = {
    "en": "",
    "de": "äöüß",
    "fr": "àâæçéèêëîïôœùûüÿ",
    "es": "áéíñóúü",
    "it": "àèéìíîòóùú",
    "pt": "áâãàçéêíóôõú",
    "nl": "éëïóöü",
    "pl": "ąćęłńóśźż",
    "tr": "çğıöşüâ",
    "id": "",
    "sv": "åäöé",
    "ru": "ёийщъыэ",
    "uk": "ґєиіїйщ",
    "be": "ёіўыэй",
    "bg": "ийщъ",
    "sr": "ђјљњћџи",
    "kk": "әғқңөұүһіёийщъыэ",
}
COMMON = {
    "latin": frozenset("abcdefghijklmnopqrstuvwxyz"),
    "cyrillic": frozenset("абвгдежзклмнопрстуфхцчшьюя"),
}
# Endings that words of one language have and those of its neighbours hardly ever.
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "en": ("ing", "tion", "tions", "ness", "ally"),
    "de": ("ung", "ungen", "keit", "heit", "lich", "liche", "lichen", "schen"),
    "fr": ("tion", "tions", "ment", "eux", "aient", "ique"),
    "es": ("ción", "ciones", "dad", "dades", "mente", "miento"),
    "it": ("zione", "zioni", "mente", "mento", "tà"),
    "pt": ("ção", "ções", "dade", "dades", "mente", "mento"),
    "nl": ("heid", "lijk", "lijke", "ische"),
    "ru": ("ии", "ия", "ый", "ий", "ого", "его", "ться", "тся", "ами", "ение", "ения", "ую", "ает",
           "ите"),
    "uk": ("ії", "ія", "ння", "ться", "ього", "ими", "ість", "ують"),
    "be": ("ыі", "ага", "цца", "ць", "нне", "ння", "амі", "аў", "іі", "ыя"),
    "bg": ("ите", "ата", "ето", "ът", "ване"),
    "kk": ("ның", "нің", "дың", "дің", "ған", "ген", "лар", "лер", "дар", "дер", "ында", "інде"),
}  # fmt: skip
LANGUAGES = (
    "ar", "be", "bg", "de", "en", "es", "fr", "he", "id", "it", "ja", "kk", "ko", "nl", "pl", "pt",
    "ru", "sr", "sv", "tr", "uk", "zh",
)  # fmt: skip
# Letters that mark a language among its neighbours, and what share of its text they are, or less.
TYPICAL: Mapping[str, tuple[str, float]] = {
    "ru": ("ыэё", 0.02),
    "uk": ("іїє", 0.06),
    "be": ("іыў", 0.08),
    "bg": ("ъ", 0.015),
    "sr": ("јљњћђ", 0.05),
    "kk": ("әғқңөұүі", 0.12),
    "de": ("äöüß", 0.01),
    "fr": ("éèàêç", 0.02),
    "es": ("áéíóúñ", 0.01),
    "pt": ("ãçáéíóõâê", 0.025),
    "pl": ("ąćęłńóśźż", 0.04),
    "tr": ("çğışöü", 0.06),
    "sv": ("åäö", 0.03),
}
ASIDE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+", re.DOTALL)
WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """The code of a text's language, one of LANGUAGES; None where that cannot be told."""
    bare = normalize("NFC", ASIDE.sub(" ", text[:LOOKED_AT]))
    counts = {name: len(letters.findall(bare)) for name, letters in SCRIPTS.items()}
    # A character of these says about as much as two or three letters.
    weights = {"han": 2.5, "kana": 2.5, "hangul": 2.5}
    sizes = {name: count * weights.get(name, 1.0) for name, count in counts.items()}
    whole = sum(sizes.values())
    if not whole:
        return None
    eastern = sizes["han"] + sizes["kana"]
    if eastern >= MOST * whole:
        return _eastern(bare, counts["han"], counts["kana"])
    name = max(sizes, key=lambda name: sizes[name])
    if sizes[name] < MOST * whole:
        return None
    match name:
        case "hangul":
            return "ko"
        case "hebrew":
            return "he"
        case "arabic":
            foreign = len(NOT_ARABIC.findall(bare))
            return "ar" if counts[name] >= 3 and foreign * 50 <= counts[name] else None
        case "latin" | "cyrillic":
            return _likeliest(name, bare)
        case _:
            return None


def _eastern(text: str, han: int, kana: int) -> str | None:
    if kana * 20 >= han + kana:
        return "ja"
    return "zh" if han >= FEW_HAN or CHINESE.search(text) else None


def _likeliest(script: str, text: str) -> str | None:
    words = [word.lower() for word in WORD.findall(text) if SCRIPTS[script].match(word)]
    score = {one: -ABSENT * _missing(one, words) for one in _sharing(script)}
    for word in words:
        for language, weight in (*_words_told(script, word), *_letters_told(script, word)):
            score[language] += weight
    first, second = sorted(score, key=lambda one: score[one], reverse=True)[:2]
    # Letters alone prove nothing: languages have them of which nothing is known here.
    known = [
        word for word in words if any(one == first for one, _weight in _words_told(script, word))
    ]
    if len(known) < DENSITY * len(words) or len(set(known)) < (1 if len(words) < FEW_WORDS else 2):
        return None
    return first if score[first] >= max(score[second], 0.0) + MARGIN else None


def _missing(language: str, words: list[str]) -> float:
    """How many of the letters that mark a language should be in so many words and are not."""
    letters, share = TYPICAL.get(language, ("", 0.0))
    whole = "".join(words)
    return max(0.0, share * len(whole) - sum(whole.count(letter) for letter in letters))


@lru_cache(MOST_WORDS)
def _words_told(script: str, word: str) -> tuple[tuple[str, float], ...]:
    """For which languages a word and its ending speak, and how much."""
    languages = _sharing(script)
    same = [one for one in languages if word in _words(one)]
    alike = [one for one in languages if len(word) > 4 and word.endswith(ENDINGS.get(one, ()))]
    return tuple((one, 1 / len(of)) for of in (same, alike) for one in of)


@lru_cache(MOST_WORDS)
def _letters_told(script: str, word: str) -> tuple[tuple[str, float], ...]:
    """For which languages the letters of a word speak, and against which."""
    rare = set(word) - COMMON[script]
    languages = _sharing(script) if rare else ()
    able = [one for one in languages if rare <= set(LETTERS[one])]
    return tuple((one, 1 / len(able) if one in able else STRANGE) for one in languages)


@cache
def _words(language: str) -> frozenset[str]:
    return frozenset(WORDS[language].split())


@cache
def _sharing(script: str) -> tuple[str, ...]:
    """The languages written in a script."""
    cyrillic = {"ru", "uk", "be", "bg", "sr", "kk"}
    return tuple(one for one in WORDS if (one in cyrillic) == (script == "cyrillic"))
