"""The checks a user asks for (`--check NAME=VALUE`): read before anything is sent, and put to every
whole answer afterwards."""

import re
from collections.abc import Iterable, Sequence

from llmctl.compare.findings import (
    COMPARISONS,
    EXPECTED,
    Command,
    Contains,
    Equals,
    Finding,
    Language,
    Number,
    Regex,
    Schema,
    Size,
    Test,
    Wanted,
    seen,
)
from llmctl.compare.numerals import read_number
from llmctl.compare.shape import Case, Mark
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.values import dataclass

# `not-contains=a=b`, `length<=200`. A name ends at the first sign.
WRITTEN = re.compile(r"\s*(not-)?([A-Za-z]+)\s*(<=|>=|=|<|>)(.*)", re.DOTALL)
SIZES = ("length", "words")
NAMES = (
    *("contains=TEXT", "icontains=TEXT", "regex=PATTERN", "equals=TEXT", "schema=FILE"),
    *("number=3.14±0.01", "'length<=200'", "'words<=50'", "language=ru", "command='PROGRAM ARGS'"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: `text` as it was typed, what it looks for, and whether that must not be there."""

    text: str
    test: Test
    negated: bool = False

    async def mark(self, answer: str, case: Case) -> Mark:
        """What it says of an answer. It raises nothing: what cannot be said is no pass."""
        found: Finding = await self.test.find(answer, case)
        passed = found.met is not None and found.met != self.negated
        return Mark(check=self.text, passed=passed, why=None if passed else found.what)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the row that it needs."""
        column = getattr(getattr(self.test, "wanted", None), "column", None)
        return () if column is None else (column,)


async def marked(checks: Sequence[Check], answer: str, case: Case) -> tuple[Mark, ...]:
    """What all checks say of one answer, in their order."""
    return tuple([await check.mark(answer, case) for check in checks])


def expected_check(column: str = EXPECTED) -> Check:
    """What `--expected COLUMN` means without a check that says how: the answer is that of the row,
    but for case, blank space around it and punctuation at its end."""
    return Check(text=EXPECTED, test=Equals(Wanted("", column), loosely=True))


def read_checks(texts: Sequence[str], hidden: Iterable[str] = ()) -> tuple[Check, ...]:
    """The checks as typed after `--check`, in their order.

    `hidden` are variables of the environment that a command does not get, beside those that are
    named like keys. Raises UsageError for an unknown check, a value that is none and a program that
    is not there.
    """
    kept = tuple(hidden)
    return tuple(_read(text, kept) for text in texts)


def _read(text: str, hidden: tuple[str, ...]) -> Check:
    found = WRITTEN.fullmatch(text)
    name = found[2].lower() if found is not None else text.removeprefix("not-").strip().lower()
    if found is None and name in SIZES:
        raise UsageError(
            _("{text} says no bound", text=text),
            hint=_("quote it, or the shell takes < for its own: --check '{name}<=200'", name=name),
        )
    if found is None or not _is_known(name, found[3]):
        raise UsageError(
            _("there is no check {text}", text=text or '""'),
            hint=_("there are, each with not- before it, too: {names}", names=", ".join(NAMES)),
        )
    value = found[4]
    if not value.strip():
        raise UsageError(
            _("{text} says nothing after {sign}", text=text, sign=found[3]),
            hint=_("such as: --check contains=Canberra"),
        )
    test = _size(name, found[3], value, text) if name in SIZES else _test(name, value, text, hidden)
    return Check(text=text, test=test, negated=found[1] is not None)


def _is_known(name: str, sign: str) -> bool:
    return name in SIZES or (sign == "=" and name in {one.partition("=")[0] for one in NAMES})


def _test(name: str, value: str, text: str, hidden: tuple[str, ...]) -> Test:
    match name:
        case "contains" | "icontains":
            return Contains(_wanted(value), any_case=name == "icontains")
        case "equals":
            return Equals(_wanted(value))
        case "regex":
            return Regex(_pattern(value))
        case "schema":
            from llmctl.engine.schema import read_schema

            return Schema(read_schema(value.strip()))
        case "number":
            written, tolerance = read_number(value)
            return Number(_wanted(written), tolerance)
        case "language":
            return Language(_language(value))
        case _:
            return Command(_program(value, text), hidden)


def _wanted(value: str) -> Wanted:
    """`@COLUMN` is what stands in a column of the row, `@@` a text that begins with @."""
    if value.startswith("@@"):
        return Wanted(value[1:])
    if value.startswith("@") and value[1:].strip():
        return Wanted("", value[1:].strip())
    return Wanted(value)


def _pattern(value: str) -> str:
    try:
        re.compile(seen(value))
    except (re.error, OverflowError, RecursionError) as error:
        place = getattr(error, "pos", None)
        why = getattr(error, "msg", None) or str(error)
        if place is None:
            said = _("{text} is no regular expression: {why}", text=value, why=why)
        else:
            said = _("{text} is no regular expression, at character {place}: {why}",
                     text=value, place=place + 1, why=why)  # fmt: skip
        raise UsageError(
            said, hint=_("it is one of Python's; a \\ before a sign takes it as it stands")
        ) from None
    return value


def _size(name: str, sign: str, value: str, text: str) -> Size:
    bound = value.strip()
    if not re.fullmatch(r"[0-9]{1,9}", bound):
        raise UsageError(
            _("{text}: {value} is no whole number", text=text, value=bound),
            hint=_("such as: --check '{name}<=200'", name=name),
        )
    assert sign in COMPARISONS  # noqa: S101  WRITTEN knows no other
    return Size(name == "words", sign, int(bound))


def _language(value: str) -> str:
    from llmctl.compare.languages import LANGUAGES

    code = re.split("[-_]", value.strip().lower())[0]
    if code not in LANGUAGES:
        raise UsageError(
            _("no way to tell the language {language}", language=value.strip()),
            hint=_("told are: {names}", names=", ".join(LANGUAGES)),
        )
    return code


def _program(value: str, text: str) -> tuple[str, ...]:
    import shlex
    import shutil

    try:
        words = tuple(shlex.split(value))
    except ValueError as error:
        raise UsageError(
            _("{text} cannot be split into words: {why}", text=text, why=error),
            hint=_("such as: --check command='python3 check.py'"),
        ) from None
    if not words or shutil.which(words[0]) is None:
        raise UsageError(
            _("there is no program {name}", name=words[0] if words else '""'),
            hint=_("name one that can be run; no shell reads it: command='sh -c \"…\"' for one"),
        )
    return words


def read_share(text: str) -> float:
    """A share from 0 to 1 of `95%`, `0.95`, `0,95`; raises UsageError for anything else."""
    number = text.strip().replace(",", ".")
    is_percent = number.endswith("%")
    number = number.removesuffix("%").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?|\.[0-9]{1,9}", number):
        share = float(number) / (100 if is_percent else 1)
        if share <= 1:
            return share
    raise UsageError(
        _("{text} is no share from 0% to 100%", text=text or '""'),
        hint=_("such as: --min-pass 95%"),
    )
