"""A row while it is worked on, and what its tries add up to."""

from collections.abc import Mapping, Sequence
from decimal import localcontext
from typing import TYPE_CHECKING

from llmctl.batch.identity import digest_of
from llmctl.batch.shape import Ended, Hop
from llmctl.cost.billing import may_be_billed
from llmctl.engine.meter import Meter
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError
from llmctl.rows import BadRow, Row
from llmctl.types import Call, Cost, CostKind, Json, Receipt, Usage
from llmctl.types.amounts import EXACT, plain, read_amount
from llmctl.values import NOTHING, dataclass, replace

if TYPE_CHECKING:
    from llmctl.privacy.screening import Screened

# Why the cost of several tries is not known.
SEVERAL = "several"
# Why a provider that answers later has not come to a row.
NOT_BEGUN = frozenset({"expired", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a row asks, and of whom; `named` says that the row itself names the model."""

    route: Route
    call: Call
    named: bool = False


class Work:
    """One row on its way; `begun` is when, by the clock of the loop. `failed` counts the tries of
    the model that is asked now that ended in an error which may pass, `answered` is how many other
    rows it had answered before the first of them. `limited` counts the tries that were refused for
    a rate while others were answered; at the last such refusal it was `refused_at` of them.
    `receipts` are those of all tries so far, of all models. `size` is about how many characters of
    the row are held."""

    __slots__ = (
        "answered", "begun", "columns", "digest", "failed", "followers", "hops", "id", "limited",
        "line", "made", "receipts", "refused_at", "repairing", "row", "size",
    )  # fmt: skip

    def __init__(self, row: Row | BadRow) -> None:
        self.row = row
        self.size = 0 if isinstance(row, BadRow) else length(row)
        self.line = row.line
        self.id = row.id or str(row.line)
        self.digest = 0 if isinstance(row, BadRow) else digest_of(row)
        self.begun = 0.0
        self.made: Made | None = None
        self.columns: Mapping[str, Json] = NOTHING
        self.failed = self.answered = self.limited = 0
        self.refused_at: int | None = None
        self.hops: list[Hop] = []
        self.receipts: list[Receipt] = []
        self.repairing: Repairing | None = None
        self.followers: list[Work] = []

    def hop(self, made: Made, cause: str) -> None:
        """Another model is asked from here on."""
        assert self.made is not None  # noqa: S101  it was asked before
        self.hops.append(Hop(self.made.route.requested, cause))
        self.made = made
        self.failed = self.limited = 0
        self.refused_at = self.repairing = None

    def slim(self) -> None:
        """It gets the answer of another row: only what is written of it is held."""
        self.row, self.made = BadRow(self.line, "", self.id), None
        self.size = length_of(self.columns)

    def ended(self, receipt: Receipt, now: float) -> Ended:
        """The row as it is written: with the tokens and the money of all its tries, and the time
        that it waited between them."""
        return Ended(
            line=self.line,
            id=self.id,
            receipt=_of_all(receipt, self.receipts, now - self.begun),
            hops=tuple(self.hops),
            columns=self.columns,
        )


@dataclass(frozen=True, slots=True)
class Repairing:
    """What is asked instead of a call whose answer missed the schema; `earlier` is how that was
    screened, whose placeholders hold on."""

    call: Call
    earlier: "Screened"


def length(row: Row) -> int:
    """About how many characters a row has."""
    return length_of(row.values)


def length_of(value: Json) -> int:
    match value:
        case str():
            return len(value)
        case Mapping():
            return sum(map(length_of, value.values()))
        case list() | tuple():
            return sum(map(length_of, value))
        case _:
            return 50  # no text, but it is held


def is_unpriced(receipt: Receipt) -> bool:
    """Whether a request may be on the bill with an amount that nobody knows: it was answered, or
    ended in something else than a refusal before any answer."""
    if not receipt.attempts or receipt.cost.amount is not None:
        return False
    error = receipt.error
    if error is None or receipt.cost.why == SEVERAL:
        return True
    if receipt.text or receipt.reasoning or receipt.tool_calls:
        return True
    if error.reason in NOT_BEGUN:
        return False
    kinds = LlmctlError.__subclasses__()
    kind = next((one for one in kinds if one.code == error.code), LlmctlError)
    return may_be_billed(kind(error.message, reason=error.reason, status=error.status))


def unsent(route: Route | None, error: LlmctlError) -> Receipt:
    """The receipt of a row of which nothing was sent."""
    meter = Meter(route.requested if route else "")
    meter.end()
    return meter.receipt(
        provider=route.provider if route else None,
        verdict=route.verdict if route else None,
        error=error,
    )


def _of_all(receipt: Receipt, tries: Sequence[Receipt], seconds: float) -> Receipt:
    """`receipt` is the last of `tries`, or that of a row which was not sent once more."""
    latency = receipt.latency
    own = (latency.total_s or 0.0) + (latency.auth_s or 0.0)
    latency = replace(latency, waited_s=max(0.0, seconds - own))
    if not tries or (len(tries) == 1 and tries[0] is receipt):
        return replace(receipt, latency=latency)
    return replace(
        receipt,
        latency=latency,
        attempts=sum(one.attempts for one in tries),
        usage=_used(receipt, tries),
        cost=_cost(receipt, tries),
    )


def _used(receipt: Receipt, tries: Sequence[Receipt]) -> Usage:
    known = [one.usage for one in tries if one.usage.output_tokens is not None]
    if not known:
        return receipt.usage

    def total(name: str) -> int | None:
        found = [value for one in known if (value := getattr(one, name)) is not None]
        return sum(found) if found else None

    return replace(
        known[-1],
        input_tokens=total("input_tokens"),
        output_tokens=total("output_tokens"),
        cached_tokens=total("cached_tokens"),
        cache_write_tokens=total("cache_write_tokens"),
        reasoning_tokens=total("reasoning_tokens"),
    )


def _cost(receipt: Receipt, tries: Sequence[Receipt]) -> Cost:
    """The sum, where it is one: not known as soon as one of them may be on the bill with an amount
    that nobody knows, nor in two currencies. A try that was refused cost nothing."""
    known = [
        (amount, one.cost)
        for one in tries
        if (amount := read_amount(one.cost.amount)) is not None
    ]  # fmt: skip
    if any(map(is_unpriced, tries)) or len({cost.currency for _amount, cost in known}) > 1:
        return Cost(why=(receipt.cost.why if is_unpriced(receipt) else None) or SEVERAL)
    if not known:
        return receipt.cost
    with localcontext(EXACT):
        amount = sum((one for one, _cost in known), known[0][0] * 0)
    return replace(known[-1][1], amount=plain(amount))


def same(ended: Ended, work: Work) -> Ended:
    """The answer of an identical row, for another one; it cost nothing once more."""
    receipt = replace(ended.receipt, attempts=0, cost=free(ended.receipt.cost))
    return Ended(
        line=work.line,
        id=work.id,
        receipt=receipt,
        hops=ended.hops,
        same_as=ended.same_as or ended.id,
        columns=work.columns,
    )


def free(cost: Cost) -> Cost:
    """What an answer costs that is there already: nothing, also where nobody knows its price."""
    currency = cost.currency or "USD"  # as of all that is free
    return replace(cost, amount="0", currency=currency, kind=CostKind.COMPUTED, why=None)
