"""What single checks find in an answer. Texts are compared as people see them: NFC on both sides,
so that й is й however it was typed.

A finding is met, not met, or neither: a row without the column, a program that hangs, a text too
short to tell its language. What is neither passes no check, a negated one (`not-…`) as little.
"""

import operator
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Protocol
from unicodedata import category, normalize

from llmctl.compare import outside
from llmctl.compare.languages import language_of
from llmctl.compare.numerals import Tolerance, last_numeral, numerals
from llmctl.compare.shape import Case
from llmctl.engine.schema import check_answer
from llmctl.errors import SchemaMismatch
from llmctl.messages import _
from llmctl.values import Json, dataclass

REGEX_SECONDS = 5.0
COMMAND_SECONDS = 30.0
LONGEST_QUOTE = 80
EXPECTED = "expected"
COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether what a check looks for was found, None where that cannot be said, and what was."""

    met: bool | None
    what: str


class Test(Protocol):
    async def find(self, answer: str, case: Case) -> Finding: ...


def quoted(text: str) -> str:
    """A text within a sentence: one line, not too long."""
    line = " ".join(text.split())
    return f"“{line[:LONGEST_QUOTE]}…”" if len(line) > LONGEST_QUOTE else f"“{line}”"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer is held against: a text as typed, or what stands in a column of the row."""

    text: str
    column: str | None = None

    def of(self, case: Case) -> tuple[str, ...] | Finding:
        """The right answer, or the right answers where the column holds a list; a finding that
        says why there is none."""
        if self.column is None:
            return (self.text,)
        value = case.columns.get(self.column)
        if value is None and self.column == EXPECTED:
            value = case.expected
        values = value if isinstance(value, list | tuple) else [value]
        texts = tuple(text for one in values if (text := _written(one)) is not None)
        if texts and len(texts) == len(values):
            return texts
        if value is None or value in ("", [], ()):
            return Finding(None, _("the row has no {column}", column=self.column))
        return Finding(None, _("{column} of the row is no text or number", column=self.column))


def _written(value: Json) -> str | None:
    match value:
        case str():
            return value if value.strip() else None
        case bool():
            return str(value).lower()
        case int() | float() | Decimal():
            return str(value)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Contains:
    wanted: Wanted
    any_case: bool = False

    async def find(self, answer: str, case: Case) -> Finding:
        wanted = self.wanted.of(case)
        if isinstance(wanted, Finding):
            return wanted
        whole = self._seen(answer)
        for one in wanted:
            if self._seen(one) in whole:
                return Finding(True, _("{text} is in it", text=quoted(one)))
        return Finding(False, _("{text} is not in it", text=_either(wanted)))

    def _seen(self, text: str) -> str:
        return seen(text).casefold() if self.any_case else seen(text)


@dataclass(frozen=True, slots=True)
class Equals:
    """Blank space around both is no part of them; `loosely`, neither is case nor the punctuation at
    the end of either."""

    wanted: Wanted
    loosely: bool = False

    async def find(self, answer: str, case: Case) -> Finding:
        wanted = self.wanted.of(case)
        if isinstance(wanted, Finding):
            return wanted
        whole = self._seen(answer)
        if any(self._seen(one) == whole for one in wanted):
            return Finding(True, _("it is {text}", text=quoted(answer)))
        return Finding(
            False, _("it is {text}, not {right}", text=quoted(answer), right=_either(wanted))
        )

    def _seen(self, text: str) -> str:
        text = seen(text).strip()
        if not self.loosely:
            return text
        bare = text
        while bare and (bare[-1].isspace() or category(bare[-1]).startswith("P")):
            bare = bare[:-1]
        # Where nothing but punctuation was said, that is the answer.
        return (bare or text).casefold()


@dataclass(frozen=True, slots=True)
class Regex:
    pattern: str

    async def find(self, answer: str, case: Case) -> Finding:
        ended = await outside.searched(seen(self.pattern), seen(answer), seconds=REGEX_SECONDS)
        if ended.code == outside.FOUND:
            return Finding(True, _("it matches {pattern}", pattern=quoted(self.pattern)))
        if ended.code == outside.NOT_FOUND:
            return Finding(
                False, _("nothing in it matches {pattern}", pattern=quoted(self.pattern))
            )
        return Finding(None, _trouble(ended, REGEX_SECONDS))


@dataclass(frozen=True, slots=True)
class Schema:
    """The answer, or what stands in the one fence that it is, must be JSON of that schema."""

    schema: Mapping[str, Json]

    async def find(self, answer: str, case: Case) -> Finding:
        text, met = _unfenced(answer), Finding(True, _("it matches the schema"))
        if not _has_patterns(self.schema):
            try:
                check_answer(self.schema, text)
            except SchemaMismatch as error:
                return Finding(False, error.message)
            return met
        ended = await outside.matched(self.schema, text, seconds=REGEX_SECONDS)
        if ended.code == outside.FOUND:
            return met
        if ended.code == outside.NOT_FOUND:
            return Finding(False, ended.said)
        return Finding(None, _trouble(ended, REGEX_SECONDS))


@dataclass(frozen=True, slots=True)
class Number:
    """The last number of the answer, which is where a reckoning ends."""

    wanted: Wanted
    tolerance: Tolerance

    async def find(self, answer: str, case: Case) -> Finding:
        wanted = self.wanted.of(case)
        if isinstance(wanted, Finding):
            return wanted
        right = [value for one in wanted for number in numerals(one) for value in number.values]
        if not right:
            return Finding(None, _("{text} is no number", text=_either(wanted)))
        found = last_numeral(answer)
        if found is None:
            return Finding(False, _("there is no number in it"))
        met = any(self.tolerance.allows(mine, one) for mine in found.values for one in right)
        what = _("its last number is {number}", number=quoted(found.text))
        return Finding(met, what)


@dataclass(frozen=True, slots=True)
class Size:
    """How many characters or words: `comparison` is one of COMPARISONS. Characters are code points
    after NFC, blank space at both ends not counted."""

    words: bool
    comparison: str
    bound: int

    async def find(self, answer: str, case: Case) -> Finding:
        text = seen(answer).strip()
        size = len(text.split()) if self.words else len(text)
        met = COMPARISONS[self.comparison](size, self.bound)
        if self.words:
            return Finding(met, _("it has {count} words", count=size))
        return Finding(met, _("it has {count} characters", count=size))


@dataclass(frozen=True, slots=True)
class Language:
    language: str

    async def find(self, answer: str, case: Case) -> Finding:
        found = language_of(answer)
        if found is None:
            return Finding(None, _("there is too little in it to tell its language"))
        return Finding(found == self.language, _("its language is {language}", language=found))


@dataclass(frozen=True, slots=True)
class Command:
    """A program of the user's with the answer on its stdin: exit code 0 passes. No shell reads it.
    It gets LLMCTL_CASE_ID and LLMCTL_EXPECTED, and no variable that is `hidden` or holds a key."""

    words: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    seconds: float = COMMAND_SECONDS

    async def find(self, answer: str, case: Case) -> Finding:
        env = outside.without_keys(os.environ, self.hidden, _beginnings())
        env["LLMCTL_CASE_ID"] = case.id.replace("\0", "")
        env["LLMCTL_EXPECTED"] = (case.expected or "").replace("\0", "")
        given = answer.encode("utf-8", "replace")
        ended = await outside.ran(self.words, given, seconds=self.seconds, env=env)
        if ended.code is None or ended.code < 0:
            return Finding(None, _trouble(ended, self.seconds))
        ending = _("it ended with exit code {code}", code=ended.code)
        return Finding(ended.code == 0, ended.said[:LONGEST_QUOTE] or ending)


def _has_patterns(schema: Json) -> bool:
    """Whether a schema may have regular expressions in it; a property of that name passes for one,
    which costs nothing but time."""
    match schema:
        case Mapping():
            named = not {"pattern", "patternProperties"}.isdisjoint(schema)
            return named or any(map(_has_patterns, schema.values()))
        case list():
            return any(map(_has_patterns, schema))
        case _:
            return False


def _unfenced(answer: str) -> str:
    """What stands within the fence where that is the whole answer: so models like to give JSON."""
    text = answer.strip()
    opening, _break, rest = text.partition("\n")
    fence = "`" * (len(opening) - len(opening.lstrip("`")))
    if len(fence) < 3 or "`" in opening[len(fence) :] or not rest.endswith(fence):
        return answer
    return rest.removesuffix(fence)


def _beginnings() -> list[str]:
    import json

    from llmctl import resources

    return list(json.loads((resources.config() / "key-prefixes.json").read_text("utf-8")))


def _trouble(ended: outside.Ended, seconds: float) -> str:
    if ended.unstarted is not None:
        return _("it cannot be started: {why}", why=ended.unstarted)
    if ended.code is None:
        return _("it took longer than {seconds:g} s", seconds=seconds)
    return ended.said[:LONGEST_QUOTE] or _("it ended with exit code {code}", code=ended.code)


def _either(texts: tuple[str, ...]) -> str:
    return _(" or ").join(quoted(text) for text in texts[:3])


def seen(text: str) -> str:
    return normalize("NFC", text)
