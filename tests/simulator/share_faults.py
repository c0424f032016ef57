"""Faults that meet a share of the requests: see shares.py for how the model's name tells it."""

from tests.simulator.exchange import Exchange, fault
from tests.simulator.faults import cut, short_body
from tests.simulator.shares import shares_of


@fault
async def shares(exchange: Exchange) -> None:
    """One of three faults now and then, by shares that the model's name tells: see shares.py."""
    wanted = shares_of(exchange.asked.model)
    what = exchange.site.tally.note(exchange.asked.prompt, wanted)
    if wanted.wait:
        await exchange.wire.nap(wanted.wait)
    match what:
        case "429":
            await exchange.refuse(
                429, "Rate limit reached for requests", "rate_limit_exceeded", "requests",
                {"retry-after": str(wanted.after)},
            )  # fmt: skip
        case "500":
            await exchange.refuse(500, "The server had an error")
        case "cut" if exchange.asked.stream:
            await cut(exchange)
        case "cut":
            await short_body(exchange)
        case _:
            await exchange.well()
