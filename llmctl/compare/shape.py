"""What a comparison is made of: who is compared, on which cases, and every trial with its outcome.

Nothing in here was worked out: what the figures mean stands in `summary.py`. All of it can be
written to JSON and read again (`kept.py`), so that a saved comparison is shown as it was.
"""

from collections.abc import Mapping
from typing import Literal

from llmctl.errors import Interrupted, Terminated
from llmctl.types import Failure, Receipt, Verdict
from llmctl.values import NOTHING, Json, dataclass

BROKEN_OFF = frozenset({Interrupted.code, Terminated.code})
WARM_UP = 0  # the `repeat` of a trial that only warms up


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is compared: a model, and with variants of the prompt one of these.

    `name` is unique in a comparison and what tables call it; `model` is the full name
    (`provider/model`) the user would type. `verdict` is policy's word before anything was sent.
    `refused` says why nothing is sent to it at all. `memory` is in bytes.
    """

    name: str
    model: str
    provider: str | None = None
    variant: str | None = None
    verdict: Verdict | None = None
    weights: Literal["open", "closed", "unknown"] = "unknown"
    licence: str | None = None
    memory: int | None = None
    refused: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One prompt that all candidates answer: `text` is how it is shown, before any variant's
    template; `expected` the right answer by a column of the file; `columns` the row itself. `id` is
    the row's, else its number from 1."""

    id: str
    text: str
    line: int | None = None
    expected: str | None = None
    columns: Mapping[str, Json] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What one check says of one answer: `check` as it was typed, `why` an answer did not pass."""

    check: str
    passed: bool
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of one candidate on one case; `candidate` and `case` are places in the comparison's
    tuples. `repeat` counts from 1; WARM_UP is no part of any figure but what was spent and what
    connecting and loading took. `began_s` is when it was sent off, counted from the start of the
    comparison. Without an answer there are no `marks`; such a trial did not pass."""

    candidate: int
    case: int
    repeat: int
    receipt: Receipt
    marks: tuple[Mark, ...] = ()
    began_s: float = 0.0

    @property
    def is_warm_up(self) -> bool:
        return self.repeat == WARM_UP

    @property
    def is_broken_off(self) -> bool:
        """Whether the user ended it, which says nothing of the model."""
        error = self.receipt.error
        return error is not None and error.code in BROKEN_OFF

    @property
    def succeeded(self) -> bool:
        """Whether a whole answer came; what it is worth is another question."""
        return self.receipt.error is None

    @property
    def passed(self) -> bool:
        """Whether a whole answer came and passed all checks there are."""
        return self.succeeded and all(mark.passed for mark in self.marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the judge says of two answers to one case and repeat. It was asked twice, the second
    time with the answers swapped; `winner` is a candidate only where both times agree, None is a
    draw. `error` is set, and the ruling counts for nothing, where the judge gave no usable answer.
    `receipts` are those of the judge's own runs."""

    case: int
    repeat: int
    first: int
    second: int
    winner: int | None = None
    why: str | None = None
    error: Failure | None = None
    receipts: tuple[Receipt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A row of the prompts' file that is no case, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One whole comparison, also one that was interrupted (`complete` is False then).

    `started_at` is UTC in RFC 3339; `seconds` how long all of it took; `planned` how many trials,
    warm-ups included, there were to be. `asked` is the request in the words of the command line, by
    flag, so that it can be run again; `checks` as typed, `schema` where answers
    had to match one; `min_pass` a share from 0 to 1; `texts`
    is False where prompts and answers were not kept (`--log meta`); `redacted` says that they
    stand here as they left, with placeholders, or not at all where policy let them go nowhere, so
    that they cannot be sent again as they were.
    """

    id: str
    started_at: str
    seed: int
    candidates: tuple[Candidate, ...]
    cases: tuple[Case, ...] = ()
    trials: tuple[Trial, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    repeat: int = 1
    planned: int = 0
    seconds: float = 0.0
    complete: bool = True
    checks: tuple[str, ...] = ()
    min_pass: float | None = None
    judge: str | None = None
    skipped: tuple[Skipped, ...] = ()
    asked: Mapping[str, Json] = NOTHING
    texts: bool = True
    redacted: bool = False

    @property
    def measured(self) -> tuple[Trial, ...]:
        """The trials that count: all but those that warmed up or were broken off by a signal."""
        return tuple(one for one in self.trials if not (one.is_warm_up or one.is_broken_off))
