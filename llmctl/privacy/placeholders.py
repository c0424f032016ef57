"""Placeholders (`[EMAIL_1]`): what stands in a call in the place of what must not leave, so that
it can be put back into the answer.

The mapping lives in memory, as long as the call does, and nothing here prints it.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from llmctl.privacy.context import Context

# A placeholder as models write it: in any case, with the backslashes of Markdown, and with those
# once more where the text is JSON; with the quotes around it, if it is all of a string. Every part
# is bounded: hostile text takes linear time, and a stream need not hold back more than LONGEST.
SHAPE = re.compile(
    r'(?P<quote>")?'
    r"(?:\[(?P<label>[A-Z]{1,16})\\{0,2}_(?P<number>[1-9][0-9]{0,8})\]"
    r"|\\{1,2}\[(?P<label_>[A-Z]{1,16})\\{0,2}_(?P<number_>[1-9][0-9]{0,8})\\{1,2}\])"
    r'(?(quote)"?)',
    re.IGNORECASE | re.ASCII,
)
LONGEST = 1 + 2 + 1 + 16 + 2 + 1 + 9 + 2 + 1 + 1
MOST = 1_000_000  # numbers from here on are left out of the count: somebody made them up

_CASED = frozenset({"secret"})  # two of them that differ in case are two
_WORDS = frozenset({"email", "person"})
# A letter behind a backslash belongs to it, where it is one that JSON knows.
_ESCAPE = re.compile(r'(?:\\\\)*\\(?:u[0-9a-fA-F]{4}|["/bfnrt])')
_KEY = re.compile(r'(?<!\\)"\s{0,8}:\s{0,8}\Z')
_VALUE_ENDS = re.compile(r"\s{0,8}(?:[,}\]]|\Z)|\s{0,8}[\r\n]")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[0-9.eE+\-]*[0-9][0-9.eE+\-]*', re.DOTALL)


class Span:
    """`text[start:end]` is a value of the type `kind`; `is_number` says that it is all of a number
    of JSON."""

    __slots__ = ("end", "is_number", "kind", "start")

    def __init__(self, start: int, end: int, kind: str, *, is_number: bool = False) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.is_number = is_number


class Placeholders:
    """Those of one call: the same value has the same one everywhere in it.

    Whatever looks like a placeholder before we have made any is the user's own text or of an
    earlier turn of the conversation: `avoid` it, and its number is not taken again.
    """

    def __init__(self) -> None:
        self._taken: dict[str, set[int]] = {}
        self._last: dict[str, int] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._originals: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._bare: set[str] = set()
        self._quoted: set[str] = set()

    @classmethod
    def remembered(cls, originals: Mapping[str, str], numbers: Collection[str]) -> "Placeholders":
        """Those of an earlier process, to put back what they stand for; `originals` and `numbers`
        as this class had them."""
        made = cls()
        made._originals.update(originals)
        made._bare.update(numbers)
        return made

    def __bool__(self) -> bool:
        return bool(self._originals)

    @property
    def originals(self) -> Mapping[str, str]:
        """What each name (`EMAIL_1`) stands for."""
        return self._originals

    @property
    def numbers(self) -> Collection[str]:
        """The names that stand for a number of JSON, in quotes that are not the user's."""
        return self._bare - self._quoted

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each type."""
        found: dict[str, int] = {}
        for kind in self._kinds.values():
            found[kind] = found.get(kind, 0) + 1
        return found

    def kind(self, name: str) -> str:
        """The type of what a name stands for."""
        return self._kinds[name]

    def avoid(self, text: str) -> None:
        """Take no name that stands in `text` and is not one of ours."""
        if "[" not in text:
            return
        for match in SHAPE.finditer(text):
            name = name_of(match)
            if name not in self._originals:
                label, _underscore, number = name.partition("_")
                self._taken.setdefault(label, set()).add(int(number))

    def name(self, kind: str, value: str) -> str:
        """What stands for a value, such as EMAIL_1."""
        label = label_of(kind)
        key = (label, normalised(kind, value))
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"{label}_{self._next(label)}"
            self._originals[name] = value
            self._kinds[name] = kind
        return name

    def redact(self, text: str, spans: Iterable[Span], *, is_json: bool = False) -> str:
        """`text` with a placeholder for each span; of spans that overlap, one for all. What was
        valid JSON stays so: a number becomes a string. `is_json` says that all of it is JSON."""
        pieces: list[str] = []
        at = 0
        context = Context()
        ready = merged(spans)
        for span in in_tokens(text, ready) if is_json else ready:
            start, end = whole(text, span.start, span.end)
            if start >= end or start < at:
                continue
            value = text[start:end]
            context.read(text[at:start])
            if context.in_string:
                value = meant(value)
            context.read(text[start:end])
            name = self.name(span.kind, value)
            shown = f"[{name}]"
            if span.is_number or is_number(text, start, end):
                # Spelt otherwise elsewhere, it comes back as text.
                (self._bare if self._originals[name] == value else self._quoted).add(name)
                shown = f'"{shown}"'
            elif text[start - 1 : start] == '"' == text[end : end + 1]:
                self._quoted.add(name)
            pieces += (text[at:start], shown)
            at = end
        return "".join((*pieces, text[at:])) if pieces else text

    def _next(self, label: str) -> int:
        """The number above all that stand there already."""
        taken = self._taken.get(label, set())
        last = self._last.get(label)
        if last is None:
            last = max((number for number in taken if number < MOST), default=0)
        number = last + 1
        while number in taken:
            number += 1
        self._last[label] = number
        return number


def name_of(match: re.Match[str]) -> str:
    """The name in a match of SHAPE, as it stands in the mapping."""
    label = match["label"] or match["label_"]
    return f"{label.upper()}_{match['number'] or match['number_']}"


def label_of(kind: str) -> str:
    """`passport_ru` as PASSPORT: one word, which models leave alone."""
    word = re.sub(r"[^A-Z]", "", kind.partition("_")[0].upper())
    return word[:16] or "DATA"


def normalised(kind: str, value: str) -> str:
    """What two spellings of one value have in common."""
    if kind in _CASED:
        return value
    if kind in _WORDS:
        return " ".join(value.casefold().split())
    signs = "".join(filter(str.isalnum, value.casefold()))
    if kind == "phone" and len(signs) == 11 and signs.startswith("8"):
        return "7" + signs[1:]  # dialled inside Russia and from abroad
    return signs or value


def merged(spans: Iterable[Span]) -> list[Span]:
    """In order and side by side: those that overlap are one, of the type of the first."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        if found and span.start < found[-1].end:
            last = found[-1]
            found[-1] = Span(last.start, max(last.end, span.end), last.kind)
        else:
            found.append(span)
    return found


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    r"""The span without halves of escapes at its ends: in `"a\nb@c.org"` the value begins after
    the `n`, which patterns that read plain text take for a letter of it."""
    if start and text[start - 1] == "\\":
        run = _backslashes_before(text, start)
        if run % 2 and (match := _ESCAPE.match(text, start - run)):
            start = match.end()
    while end > start and _backslashes_before(text, end) % 2:
        end -= 1
    return start, end


def meant(value: str) -> str:
    """What a piece of a string of JSON says: it is escaped again wherever it is put back."""
    try:
        return str(json.loads(f'"{value}"', strict=False))
    except ValueError:
        return value


def _backslashes_before(text: str, at: int) -> int:
    """How many stand right before a place; beyond a bound they are not counted on."""
    run = 0
    while run < min(at, 64) and text[at - run - 1] == "\\":
        run += 1
    return run


def is_number(text: str, start: int, end: int) -> bool:
    """Whether the span is the value of a key, as in JSON: such a piece may stand in any text."""
    if not (text[start:end].isascii() and text[start:end].isdigit()):
        return False
    before = text[max(0, start - 24) : start]
    return bool(_KEY.search(before) and _VALUE_ENDS.match(text, end))


def in_tokens(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """What of each span stands inside the strings of JSON, and its numbers as wholes."""
    tokens = _TOKEN.finditer(text)
    token = next(tokens, None)
    for span in spans:
        while token is not None and token.end() <= span.start:
            token = next(tokens, None)
        while token is not None and token.start() < span.end:
            if text[token.start()] == '"':
                start = max(span.start, token.start() + 1)
                end = min(span.end, token.end() - 1)
                if start < end:
                    yield Span(start, end, span.kind)
            else:
                yield Span(token.start(), token.end(), span.kind, is_number=True)
            if token.end() > span.end:
                break
            token = next(tokens, None)
