"""Names of people, by slovnet's model for Russian with the weights that natasha's wheel brings.

natasha itself is not imported: it is used for its files. What the model knows is names as they
stand in news; all capitals and all small letters are shown to it a second time as they should be
written. English names it hardly finds.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from llmctl.errors import ConfigError
from llmctl.messages import _
from llmctl.privacy.detect.finding import Finding
from llmctl.privacy.detect.shape import pattern

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Characters shown to the model at a time: its memory grows with them (5 MB for a thousand words).
CHUNK = 4_000
_PATRONYMIC = r"[а-яё]{3,}(?:ович|евич|ьич|овн|евн|ичн|иничн)(?:[аыуеоий]|ем|ой|ам|ах)?"
_SURNAME = r"(?:[оеё]в|[иы]н|ск|цк)[а-яё]{0,3}$"
_INITIALS = r"(?<![А-ЯЁа-яё])[А-ЯЁ]\.[ ]?[А-ЯЁ]\."
# What the first case ends with, by how many letters of another case are taken away.
_ENDINGS = (("",), ("", "й", "я", "а", "ь"), ("", "й", "я", "а", "ь"))
_MODEL = ("model", "slovnet_ner_news_v1.tar")
_WORDS = ("emb", "navec_news_v1_1B_250K_300d_100q.tar")


def people(text: str) -> Iterator[Finding]:
    """Raises ConfigError where the extra `pii` is not installed, or cannot be read."""
    read = _reader()
    for start, piece in _pieces(text):
        for begin, end in _seen(read, piece):
            yield Finding("person", start + begin, start + end)


def _seen(read: "Callable[[str], Any]", piece: str) -> Iterator[tuple[int, int]]:
    for one in read(piece).spans:
        name = piece[one.start : one.stop]
        # At the beginning of a sentence an order ("Оплатите …") looks like a name in one word.
        alone = " " not in name and _begins_sentence(piece, one.start)
        if one.type == "PER" and _is_spelled(name) and (not alone or _is_known(name)):
            yield one.start, one.stop
    titled = _titled(piece)
    if titled is not None:
        for one in read(titled).spans:
            name = piece[one.start : one.stop]
            changed = name != titled[one.start : one.stop]
            # One word in small letters is a name too often by chance: вера, роман, любовь.
            enough = " " in name or not name.islower()
            if one.type == "PER" and changed and enough and _is_spelled(name) and _is_known(name):
                yield one.start, one.stop


def _is_spelled(name: str) -> bool:
    return sum(map(str.isalpha, name)) >= 2 and not any(map(str.isdigit, name))


def _begins_sentence(piece: str, start: int) -> bool:
    return (
        not piece[:start].strip(" \t\"'«(-—*#>")
        or piece[:start].rstrip(" \t\"'«(-—*#>")[-1] in ".!?\n:;"
    )


def _is_known(name: str) -> bool:
    """Whether a word of it is a first name in any case, or has the ending of a patronymic or of a
    surname with initials."""
    words = pattern(r"[а-яё]+").findall(name.lower())
    known = _first_names()
    return any(
        pattern(_PATRONYMIC).fullmatch(word) is not None
        or any(word[: len(word) - cut] + end in known for cut in (0, 1, 2) for end in _ENDINGS[cut])
        for word in words
    ) or (pattern(_INITIALS).search(name) is not None)


@cache
def _first_names() -> frozenset[str]:
    """natasha's list of first names, those of three letters and more."""
    lines = (_data() / "dict" / "first.txt").read_text(encoding="utf-8").splitlines()
    names = (line.partition("#")[0].strip() for line in lines)
    return frozenset(name for name in names if len(name) > 2)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The text in pieces that end with a line or a word, each with where it begins."""
    start = 0
    while start < len(text):
        end = min(len(text), start + CHUNK)
        if end < len(text):
            line = max(text.rfind(sign, start + CHUNK // 2, end) for sign in ("\n", ". ", "! "))
            space = line if line >= 0 else text.rfind(" ", start + CHUNK // 2, end)
            end = space + 1 if space >= 0 else end
        yield start, text[start:end]
        start = end


def _titled(text: str) -> str | None:
    """The text with words in capitals, and first names in lines of small letters with the surnames
    beside them, written like names; None where there are none. As many characters as before."""
    shouted = pattern(r"\b[А-ЯЁ]{3,}(?:-[А-ЯЁ]{2,})?\b").sub(lambda found: found[0].title(), text)
    lines = [_named(line) if line.islower() else line for line in shouted.split("\n")]
    titled = "\n".join(lines)
    return titled if titled != text and len(titled) == len(text) else None


def _named(line: str) -> str:
    words = list(pattern(r"[а-яё]{3,}").finditer(line))
    known = [_is_known(word[0]) for word in words]
    for number, word in enumerate(words):
        near = any(known[max(0, number - 1) : number + 2])
        if known[number] or (near and pattern(_SURNAME).search(word[0]) is not None):
            line = line[: word.start()] + word[0].title() + line[word.end() :]
    return line


@cache
def _reader() -> "Callable[[str], Any]":
    """What marks the names in a text; loading takes half a second and 200 MB."""
    try:
        from navec import Navec
        from slovnet import NER

        data = _data()
        words = Navec.load(str(data.joinpath(*_WORDS)))
        reader = NER.load(str(data.joinpath(*_MODEL)))
        reader.navec(words)
    except (ImportError, OSError) as error:
        raise ConfigError(
            _("names of people cannot be found: {cause}", cause=str(error)),
            hint=_("install what reads them: pip install 'llmctl-cli[pii]'"),
            reason="extra",
        ) from None
    return reader  # type: ignore[no-any-return]


def _data() -> "Path":
    """natasha's files, found without running its code."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("natasha")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("natasha")
    return Path(next(iter(spec.submodule_search_locations))) / "data"
