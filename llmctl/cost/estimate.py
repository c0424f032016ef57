"""What a call will cost, before it is sent: tokens with the method of counting, and a range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmctl.types import NOTHING, Image
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from llmctl.cards import Card, Model, Price
    from llmctl.cost.money import Money
    from llmctl.cost.tariff import Tariff, Terms
    from llmctl.types import Call

# Methods of counting, from the surest on.
GIVEN, EXACT_LOCAL, EXACT_REMOTE, ESTIMATE = "given", "exact-local", "exact-remote", "estimate"

# As in `tariff`, which is only loaded where there is something to price.
NO_FIGURE = "price-incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """`method` is given, exact-local, exact-remote or estimate; `input_most` is the input that is
    not exceeded (that of an estimate with its error, of an exact count itself), `input_least` the
    other end. `output_limit` is the longest answer the call may bring, None where neither the call
    nor the card bounds it; `output_usual` what an answer of this model takes as a rule.

    `low` is the least input alone, with nothing read from a cache: what even an empty answer costs.
    `usual` is the input and a usual answer, `high` the most of input and answer at the highest
    rates that may hold (that of writing to a cache, that above a threshold). They are None where
    the price is not known, `usual` and `high` also where nothing tells or bounds the answer, or the
    input.
    `high_input` is the part of `high` for the input, `token_price` what each token of an answer's
    length adds at most (of all answers, where several are asked for), in the same currency: what is
    left of a cap after `high_input`, divided by it, is the longest answer that fits.

    `left_out` are the kinds of parts that are not counted (`image/png`), without which nothing
    bounds the input; `why` is a stable word where the price is not known. `vat` is that of the
    row: included, excluded, none, unknown.
    """

    input_tokens: int
    input_most: int
    method: str
    input_least: int = 0
    output_limit: int | None = None
    output_usual: int | None = None
    low: Money | None = None
    usual: Money | None = None
    high: Money | None = None
    high_input: Money | None = None
    token_price: Decimal | None = None
    price_source: str | None = None
    price_date: str | None = None
    vat: str | None = None
    mode: str | None = None
    left_out: tuple[str, ...] = ()
    why: str | None = None

    @property
    def is_bounded(self) -> bool:
        return bounded(self.method, self.left_out)


def bounded(method: str, left_out: tuple[str, ...]) -> bool:
    """Whether the most of a count is one: what is not counted may take any number of tokens, but
    beside a provider's own count, where it is what stands around the texts."""
    return not left_out or method == EXACT_REMOTE


def summed(one: Estimate, other: Estimate) -> Estimate:
    """What two calls to one model will cost together; None where it is not known of both."""
    return replace(
        one,
        input_tokens=one.input_tokens + other.input_tokens,
        input_least=one.input_least + other.input_least,
        input_most=one.input_most + other.input_most,
        low=_both(one.low, other.low),
        usual=_both(one.usual, other.usual),
        high=_both(one.high, other.high),
        high_input=_both(one.high_input, other.high_input),
    )


def _both(one: Money | None, other: Money | None) -> Money | None:
    if one is None or other is None:
        return None
    return replace(one, amount=one.amount + other.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Input tokens with the method of counting and the bounds it leaves."""

    tokens: int
    least: int
    most: int
    method: str
    left_out: tuple[str, ...] = ()

    @property
    def is_bounded(self) -> bool:
        return bounded(self.method, self.left_out)


def exactly(tokens: int, method: str, left_out: tuple[str, ...] = ()) -> Counted:
    return Counted(tokens=tokens, least=tokens, most=tokens, method=method, left_out=left_out)


def estimated(
    card: Card,
    model: Model | None,
    call: Call,
    *,
    at: datetime,
    mode: str | None = None,
    terms: Terms | None = None,
    exact: bool = False,
    careful: bool = False,
    counted: Counted | None = None,
    output: int | None = None,
) -> Estimate:
    """What `call` will cost if it is sent at a moment of UTC. Nothing is sent for it.

    `terms` says where it goes and with what settings (without them, to the card's own address);
    `exact` counts with the model's own vocabulary where that is known and installed, which takes
    a quarter of a second to load; `careful` makes `input_most` what no text of its scripts passes,
    for a cap to be kept; `counted` is a count made elsewhere, `output` the length of the answer
    where that is given.
    """
    from llmctl.cost import asked, tokens
    from llmctl.cost.tariff import Terms, tariff

    options = getattr(call, "options", NOTHING)
    terms = replace(terms or Terms(url=card.endpoint.base_url), options=options)
    counted = counted or tokens.count(call, model, exact=exact, careful=careful)
    charged = tariff(card, model, terms, at, mode=mode)
    limit = output if output is not None else asked.output_limit(call, model)
    usual = output
    if usual is None:
        usual = (model.expected_output if model else None) or card.expected_output
    if usual is not None and limit is not None:
        usual = min(usual, limit)
    found = Estimate(
        input_tokens=counted.tokens,
        input_least=counted.least,
        input_most=counted.most,
        method=counted.method,
        left_out=counted.left_out,
        output_limit=limit,
        output_usual=usual,
        mode=charged.mode,
        why=charged.why,
    )
    if isinstance(call, Image):
        from llmctl.cost.drawing import drawn

        found = replace(found, output_limit=None, output_usual=None)
        found = drawn(found, charged, call, model)
    else:
        copies = asked.copies(call)
        writes = asked.cache_writes(card, options)
        found = priced(found, charged, writes=writes, copies=copies, output=output or 0)
    if found.is_bounded or charged.free is not None:
        return found
    return replace(found, usual=None, high=None)


def priced(
    found: Estimate,
    charged: Tariff,
    *,
    writes: tuple[str, ...],
    copies: int = 1,
    output: int = 0,
) -> Estimate:
    """`found` with the amounts that its tokens cost; `writes` are the prices at which the provider
    may write the prompt to a cache, `copies` is how many answers are asked for, `output` what each
    takes at least."""
    from decimal import Decimal

    from llmctl.cost.money import Money
    from llmctl.cost.prices import hour_factor, source_of

    if charged.free is not None:
        none = Money(Decimal(0), charged.currency or "USD")
        return replace(
            found, low=none, usual=none, high=none, high_input=none, token_price=Decimal(0),
            price_source=charged.free,
        )  # fmt: skip
    row = charged.row
    if row is None:
        return found
    least, most, dearest = _extremes(found, row, charged.mode, writes)
    if least is None or most is None:
        return replace(found, why=NO_FIGURE)
    if found.output_limit == 0:
        dearest = Decimal(0)  # such as of vectors: there are no tokens of an answer
    factor = hour_factor(row, charged.at) * Decimal(charged.factor)
    once = Decimal(row.request or 0) * Decimal(charged.factor)
    token = None if dearest is None else dearest * factor * copies

    def of(rate: Decimal, tokens: int, answer: int | None = 0) -> Money | None:
        if answer is None or (answer and token is None):
            return None
        return Money(rate * factor * tokens + once + (token or 0) * answer, row.currency)

    return replace(
        found,
        low=of(least, found.input_least, output),
        usual=of(most, found.input_tokens, found.output_usual),
        high=of(most, found.input_most, found.output_limit),
        high_input=of(most, found.input_most),
        token_price=token,
        price_source=source_of(row),
        price_date=row.source.checked,
        vat=row.vat,
    )


def _extremes(
    found: Estimate, row: Price, mode: str, writes: tuple[str, ...]
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """One token's price: the lowest and the highest of the input, the highest of the answer. A
    price may jump anywhere between the two ends of an estimate, and not only upwards."""
    from llmctl.cost.prices import rates_at

    jumps = {
        tier.above_input_tokens + 1
        for tier in row.tiers
        if found.input_least <= tier.above_input_tokens < found.input_most
    }
    sizes = {found.input_least, found.input_most, *jumps} if jumps else {found.input_least}
    rates = [rates_at(row, size, mode) for size in sizes]
    inputs = [one.input for one in rates if one.input is not None]
    outputs = [one.output for one in rates if one.output is not None]
    written = [price for one in rates for name in writes if (price := getattr(one, name))]
    if len(inputs) < len(rates):
        return None, None, None
    dearest = max(outputs) if len(outputs) == len(rates) else None
    return min(inputs), max([*inputs, *written]), dearest
