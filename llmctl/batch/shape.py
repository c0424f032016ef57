"""The values of a job: its rows, what each became, what all of them came to."""

from collections.abc import Mapping

from llmctl.store.journal import State as State
from llmctl.types import Json, Receipt
from llmctl.values import NOTHING, dataclass, field

# What the same command tries again by itself: it may pass. All other causes are a matter of the
# row, and are only tried again when somebody asks for it.
PASSING = ("rate-limited", "network", "provider-error", "cut-off")

# What asking again as before cannot help: the row makes no call, the provider rejects it, or the
# answer is longer than allowed.
LASTING = ("usage", "rejected", "incomplete")


@dataclass(frozen=True, slots=True)
class Hop:
    """A model that was asked before, in vain: `cause` is the code of its error."""

    model: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A row that is through, as it is written.

    `line` is where it begins in its source, from 1, `id` what it calls itself, else its line.
    `receipt` is the answer as the user sees it, or the error it has. `hops` are the models that
    were to answer before. `same_as` is the id of an identical row, whose answer this is; `cached`
    says that the answer is an earlier one. `columns` are those of the row that are carried along.
    """

    line: int
    id: str
    receipt: Receipt
    hops: tuple[Hop, ...] = ()
    same_as: str | None = None
    cached: bool = False
    columns: Mapping[str, Json] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Percentiles of seconds; None where there was nothing to be measured."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What rows, or requests of one model, add up to. `costs` are decimals by currency; `unpriced`
    is how many requests have a cost that nobody knows, `uncounted` how many have tokens that nobody
    counted; neither those that were refused, nor those that failed and are not billed."""

    rows: int = 0
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    costs: Mapping[str, str] = NOTHING
    unpriced: int = 0
    uncounted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """A job by its journal, and what its last run did.

    `rows` is how many the input has (None where it has not been read to its end), of which
    `waiting` are still to be sent; `causes` counts the failed by the code of their error, `reasons`
    has what the first of each was told. All else is of this run: `ended` how many rows it ended,
    `failed_now` how many of those failed, `reused` how many had their answer from an identical row,
    `cached` from an earlier job; `total` and `models` what it took, `latency` the seconds of one
    answer, `waited` those a row waited for its turn and for tries that failed; `seconds` how long
    it ran, `most_at_once` the requests under way at most. `stopped` is the code of what ended it
    before the last row.
    """

    job: str
    output: str
    errors: str
    input: str | None
    started_at: str
    rows: int | None
    done: int
    failed: int
    waiting: int | None
    causes: Mapping[str, int] = NOTHING
    reasons: Mapping[str, str] = NOTHING
    ended: int = 0
    failed_now: int = 0
    reused: int = 0
    cached: int = 0
    total: Total = field(default_factory=Total)
    models: Mapping[str, Total] = NOTHING
    latency: Spread = field(default_factory=Spread)
    waited: Spread = field(default_factory=Spread)
    seconds: float = 0.0
    most_at_once: int = 0
    stopped: str | None = None
