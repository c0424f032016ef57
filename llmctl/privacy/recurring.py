"""Finds values that are known: what was found once, where the words that told it are missing, and
the names and words of the user's own list."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from llmctl.errors import ConfigError, LlmctlError
from llmctl.messages import _
from llmctl.privacy.placeholders import Span

_WORD = re.compile(r"\w+")
SHORTEST = 4  # characters; less is a word of its own too often


class Recurring:
    """Values to be found again, with `fold` in any case. The time of a search grows with the text,
    not with how many values there are: each word is looked up among the first words of all."""

    def __init__(self, *, fold: bool = False, shortest: int = SHORTEST) -> None:
        self._spelt: Callable[[str], str] = str.lower if fold else str
        self._shortest = shortest
        self._kinds: dict[str, str] = {}
        self._shapes: dict[str, set[tuple[int, int]]] = {}

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def add(self, kind: str, value: str) -> None:
        first = _WORD.search(value)
        key = self._spelt(value)
        if len(value) < self._shortest or first is None or key in self._kinds:
            return
        self._kinds[key] = kind
        shape = (first.start(), len(value))
        self._shapes.setdefault(self._spelt(first[0]), set()).add(shape)

    def spans(self, text: str) -> Iterator[Span]:
        """Where the values stand as words of their own."""
        if not self._shapes:
            return
        for word in _WORD.finditer(text):
            for before, length in self._shapes.get(self._spelt(word[0]), ()):
                start = word.start() - before
                end = start + length
                kind = self._kinds.get(self._spelt(text[start:end])) if start >= 0 else None
                if kind is not None and not _inside_word(text, end):
                    yield Span(start, end, kind)


def listed_names(path: str, kind: type[LlmctlError] = ConfigError) -> Recurring:
    """The names and words in a file, one a line; empty lines do not count. Raises `kind`."""
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else _("it is not UTF-8")
        raise kind(
            _("cannot read the names in {path}: {why}", path=path, why=why),
            hint=_("--redact-names takes a file with one name a line"),
        ) from None
    names = Recurring(fold=True, shortest=1)
    for line in lines:
        names.add("person", " ".join(line.split()))
    return names


def _inside_word(text: str, at: int) -> bool:
    """Whether a word goes on at a place."""
    around = text[at - 1 : at + 1]
    return len(around) == 2 and _WORD.fullmatch(around) is not None
