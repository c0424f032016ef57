"""`doctor --live`: a few small real calls that show whether a provider does what it should."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.cli.loop import run_async
from llmctl.engine.diagnose import Check, wire_checks
from llmctl.engine.proof import FEWEST_TOKENS, MOST_CALLS, Proof, Tried
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.errors import BudgetRefused, UsageError
from llmctl.messages import _
from llmctl.values import dataclass

if TYPE_CHECKING:
    from decimal import Decimal

    from llmctl.cards import Price
    from llmctl.settings import Loaded
    from llmctl.transport.record import Recorder

# What all calls together may cost, in the only currency that prices can be compared in yet.
MOST_MONEY, CURRENCY = "0.05", "USD"
# Models that think want room for it; where that would cost too much, answers are shorter.
WANTED_TOKENS = 256
# Where no price is known: at the dearest known one these are within the bound.
UNPRICED_TOKENS = 64
# The ten prompts, a schema among them, are below this together.
INPUT_TOKENS = 1000


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that the calls can take: tokens of one answer, and money where a price is known."""

    tokens: int
    amount: str | None = None
    price: "Price | None" = None

    @property
    def output_tokens(self) -> int:
        return self.tokens * MOST_CALLS


def prove(
    provider: str, model: str | None, loaded: "Loaded", record: str | None = None
) -> list[Check]:
    """The layers of the wire, and each claim of the card, from at most ten calls whose cost is said
    first; with `record` the traffic goes into that file.

    Raises BudgetRefused where even the shortest answers would cost too much, UsageError without a
    model, IoFailed for a file that cannot be written, CheckFailed where a key would be in it.
    """
    from llmctl.output.sink import OutputFile
    from llmctl.output.streams import err

    route = chosen(provider, model, loaded)
    bounds = bounds_of(route)
    file = OutputFile(record) if record else None
    err(cost_text(route, bounds) + "\n")
    try:
        checks, tried, recorder = run_async(proven(route, loaded, bounds.tokens))
        if file is not None:
            from llmctl.engine.recording import recording

            file.write(recording(route, recorder, tried).decode("utf-8"))
    except BaseException:
        if file is not None:
            file.abandon()
        raise
    if file is not None:
        file.keep()
    return checks


def chosen(provider: str, model: str | None, loaded: "Loaded") -> Route:
    """The route to the model that shall answer: the one named, else the card's default."""
    card = catalogue.card(provider, loaded.settings)
    name = model or (f"{provider}/{card.default_model}" if card.default_model else None)
    if name is None:
        raise UsageError(
            _("which model of {provider} shall answer?", provider=provider),
            hint=_("name it: llmctl doctor {provider} --live -m {provider}/MODEL",
                   provider=provider),
        )  # fmt: skip
    return _with_weights(resolve(name, loaded), loaded)


def _with_weights(route: Route, loaded: "Loaded") -> Route:
    """The route with the file of a model inside this process, fetched first as for any prompt."""
    if route.card.kind != "embedded":
        return route
    from llmctl.cli.asked import Asked
    from llmctl.cli.one import with_weights
    from llmctl.output.terminal import detect

    return with_weights(route, loaded, detect(), Asked(no_input=True))


def bounds_of(route: Route) -> Bounds:
    """How long answers may be for the price of the model that is in force."""
    from decimal import Decimal

    price = _price(route)
    if price is None or route.is_free:
        return Bounds(WANTED_TOKENS if route.is_free else UNPRICED_TOKENS)
    read, written = Decimal(price.input or 0), Decimal(price.output or 0)
    for tokens in (WANTED_TOKENS, WANTED_TOKENS // 4, FEWEST_TOKENS):
        amount = _cost(read, written, tokens, price.unit)
        comparable = price.currency == CURRENCY
        if amount <= Decimal(MOST_MONEY) if comparable else tokens < WANTED_TOKENS:
            return Bounds(tokens, f"{amount:.4f}", price)
    raise BudgetRefused(
        _("{model} is too dear for a check: ten of its shortest answers may cost {amount}"
          " {currency}", model=route.requested, amount=f"{amount:.2f}", currency=price.currency),
        hint=_("check a cheaper one with -m; the wire is the same"),
        provider=route.provider,
    )  # fmt: skip


def _cost(read: "Decimal", written: "Decimal", tokens: int, unit: int) -> "Decimal":
    return (read * INPUT_TOKENS + written * tokens * MOST_CALLS) / unit


def _price(route: Route) -> "Price | None":
    """The row in force today; None where no card knows it, or not both figures."""
    from llmctl.engine.meter import utc_now

    today = utc_now()[:10]
    known = route.model_card.prices if route.model_card else ()
    row = next((one for one in known if one.since <= today), None)
    return row if row is not None and row.input and row.output else None


def cost_text(route: Route, bounds: Bounds) -> str:
    """What the calls may cost, said before the first of them."""
    if route.is_free:
        return _("Sending up to {calls} small requests to {name}: free, it runs on your own"
                 " hardware.", calls=MOST_CALLS, name=route.requested)  # fmt: skip
    if bounds.price is None:
        return _(
            "Sending up to {calls} small requests to {name}, at most {output} tokens back: billed"
            " by the provider at its price, which is not known here.",
            calls=MOST_CALLS, name=route.requested, output=bounds.output_tokens,
        )  # fmt: skip
    return _(
        "Sending up to {calls} small requests to {name}, at most {output} tokens back: billed by"
        " the provider, at most {amount} {currency} at its price of {date}.",
        calls=MOST_CALLS,
        name=route.requested,
        output=bounds.output_tokens,
        amount=bounds.amount,
        currency=bounds.price.currency,
        date=bounds.price.since,
    )


Proven = tuple[list[Check], Sequence[tuple[Tried, range]], "Recorder"]


async def proven(route: Route, loaded: "Loaded", tokens: int) -> Proven:
    """The checks, the claims with the numbers of their exchanges, and all exchanges."""
    from llmctl.transport.exchange import Lane, make_transport
    from llmctl.transport.record import Recorder

    target = route.target
    recorder = Recorder(make_transport(target), {route.card.auth.header.lower()})
    tried: list[tuple[Tried, range]] = []

    def kept(one: Tried) -> Tried:
        begun = tried[-1][1].stop if tried else 0
        tried.append((one, range(begun, len(recorder.exchanges))))
        return one

    async with Lane(target, recorder) as lane:
        proof = Proof(route, lane, tokens=tokens, timeout=loaded.settings.network.timeout)
        first = kept(await proof.first())
        checks = list(wire_checks(first.check.error, first.check.text))
        if target.weights:  # there is no wire to the model inside this process
            checks = [one for one in checks if one.layer in ("model", "answer")]
        if first.check.error is None:
            checks += [kept(one).check async for one in proof.rest()]
    return checks, tried, recorder
