"""What is known of a call afterwards: cost, privacy, times, failure, and all of it as a receipt."""

from collections.abc import Mapping
from enum import StrEnum

from llmctl.types.calls import Media, ToolCall
from llmctl.types.events import FinishReason, Usage
from llmctl.values import NOTHING, Json, dataclass, field

# The price source of what costs nothing because it runs here; never translated.
OWN_HARDWARE = "own hardware"
# Among the details: how many tokens a prompt has that was counted and not asked.
COUNTED = "counted_tokens"


class CostKind(StrEnum):
    REPORTED = "reported"
    COMPUTED = "computed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cost:
    """Money for one answer; `amount` is a decimal string, None when the price is not known, and
    then `why` is a stable word for that. `price_source` is never translated."""

    amount: str | None = None
    currency: str | None = None
    kind: CostKind = CostKind.UNKNOWN
    price_source: str | None = None
    price_date: str | None = None
    why: str | None = None


class Level(StrEnum):
    """Privacy levels from best to worst; `rank` orders them, unknown is the worst."""

    DEVICE = "device"
    NETWORK = "network"
    ZERO_RETENTION = "zero-retention"
    NO_TRAINING = "no-training"
    MAY_TRAIN = "may-train"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What policy says of one call: allowed or not, the level reached and the rules that forbid.

    `broken` names the rule of each of the `reasons`, as it is called in settings.
    `controls` are the names of what was sent for the sake of privacy, `attested` what the user says
    of their own contract and counts. `why` says in sentences how the level came about, `notes` what
    the user should know of it; `host` is to whom the call goes, None within this process.
    """

    allowed: bool
    level: Level
    region: str | None = None
    retention_days: int | None = None
    controls: tuple[str, ...] = ()
    attested: tuple[str, ...] = ()
    facts_checked: str | None = None
    reasons: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    trains: str = "unknown"
    human_review: str = "unknown"
    why: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds on a monotonic clock. What the user has waited is `waited_s` + `auth_s` + `total_s`,
    which do not overlap; all others are parts of `total_s`, counted from the moment the call was
    sent off for the last time.

    `waited_s` is what came before that: failed tries, the waits between them, one's turn where an
    account may ask one thing at a time. `auth_s` is what fetching a token took, None where the key
    itself is sent. `connect_s` is name look-up, connection, a proxy's consent and TLS; on a kept
    connection (`reused`) it is None. `first_byte_s` is when the head of the answer was here,
    `ttft_s` when the first piece of text, thought or picture was, None for an answer in one piece.
    Connecting and loading a model (`load_s`) are in both. `output_tokens_per_s` is measured from
    the first piece to the last, and by the server's word where an answer came in one piece;
    `server` are the server's own figures by name.
    """

    connect_s: float | None = None
    reused: bool = False
    first_byte_s: float | None = None
    ttft_s: float | None = None
    total_s: float | None = None
    waited_s: float = 0.0
    load_s: float | None = None
    output_tokens_per_s: float | None = None
    server: Mapping[str, float] | None = None
    auth_s: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as data, in the shape scripts read; `hint` says what may be done about it."""

    code: str
    exit_code: int
    message: str
    reason: str | None = None
    retryable: bool = False
    provider: str | None = None
    status: int | None = None
    retry_after_s: float | None = None
    request_id: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything known about one finished or failed call: what `--json` prints, the ledger keeps.

    `started_at` is UTC in RFC 3339 with a trailing Z.
    """

    id: str
    started_at: str
    requested: str
    provider: str | None = None
    resolved: str | None = None
    text: str = ""
    reasoning: str | None = None
    media: tuple[Media, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)
    latency: Latency = field(default_factory=Latency)
    verdict: Verdict | None = None
    redactions: Mapping[str, int] = NOTHING
    request_id: str | None = None
    attempts: int = 0
    details: Mapping[str, Json] = NOTHING
    error: Failure | None = None
