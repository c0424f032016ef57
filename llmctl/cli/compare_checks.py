"""What is wanted of answers and of models: read, and refused where it cannot be meant, before
anything is sent."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.compare_cases import EXPECTED
from llmctl.compare.checks import Check, expected_check, read_checks
from llmctl.compare.findings import Command
from llmctl.compare.shape import Case
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import Call

if TYPE_CHECKING:
    from llmctl.settings import Loaded


def wanted_checks(asked: CompareAsked, loaded: "Loaded | None" = None) -> tuple[Check, ...]:
    """The checks, and what right answers of a file mean where none of these is about them. Programs
    do not get the variables that hold keys: of all providers in `loaded`, and what is named so."""
    texts = asked.checks or ()
    checks = read_checks(texts)
    if loaded is not None and any(isinstance(one.test, Command) for one in checks):
        checks = read_checks(texts, hidden=_key_variables(loaded))
    if asked.expected is None or any(asked.expected in one.columns for one in checks):
        return checks
    return (*checks, expected_check(asked.expected))


def to_pass(checks: Iterable[Check], calls: Iterable[Call]) -> tuple[str, ...]:
    """What answers have to pass, as typed; `schema` where a call demands one: a run whose answer
    does not match it has failed, so that those that succeeded have passed."""
    texts = tuple(one.text for one in checks)
    return (*texts, "schema") if any(getattr(one, "schema", None) for one in calls) else texts


def _key_variables(loaded: "Loaded") -> Iterator[str]:
    from llmctl import catalogue

    for provider in catalogue.provider_ids(loaded.settings):
        # A card that cannot be read names no variables, and is no matter of who does not use it.
        with suppress(LlmctlError):
            yield from catalogue.card(provider, loaded.settings).auth.env


def refuse_missing(checks: Sequence[Check], cases: Sequence[Case]) -> None:
    """Raises UsageError for a check that no answer could pass, for want of what it looks at."""
    for check in checks:
        for column in check.columns:
            by_name = column == EXPECTED and any(one.expected is not None for one in cases)
            if not by_name and not any(column in one.columns for one in cases):
                known = ", ".join(cases[0].columns)[:200] or "-"
                raise UsageError(
                    _("{check}: no row has a column {column}", check=check.text, column=column),
                    hint=_("columns of the first: {names}", names=known),
                )


# Runs of one comparison: all of them are held in memory, and read by people.
MOST_RUNS = 200_000


def refuse_endless(runs: int, entrants: int) -> None:
    """Raises UsageError for more runs than a comparison can have."""
    if runs * entrants > MOST_RUNS:
        raise UsageError(
            _("{runs} runs are too many; a comparison has at most {most}", runs=runs * entrants,
              most=MOST_RUNS),
            hint=_("take fewer prompts with --limit, or fewer repeats"),
        )  # fmt: skip


def refuse_wishes(asked: CompareAsked, checks: Sequence[Check], loaded: "Loaded") -> None:
    """Raises UsageError for a --prefer, --where or --currency that is none: they are about the
    result, and it would be paid for by then."""
    from llmctl.compare.advice import refuse_preference
    from llmctl.compare.where import read_where

    refuse_preference(asked.prefer, measured=bool(checks or asked.judge or asked.schema))
    read_where(asked.where)
    if asked.currency is not None:
        from datetime import date

        from llmctl.cli.cost_exchange import Exchanging

        Exchanging(asked.currency, loaded, date.today())
