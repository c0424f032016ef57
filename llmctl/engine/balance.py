"""What is left of tokens that were paid in advance, where a provider tells."""

from collections.abc import Awaitable, Callable

from llmctl.dialects import Dialect, HttpCall
from llmctl.errors import LlmctlError
from llmctl.messages import _
from llmctl.types import Json

FORBIDDEN = 403  # of an account that pays as it goes


async def balance_of(
    dialect: Dialect, fetch: Callable[[Dialect, HttpCall], Awaitable[Json]]
) -> str | None:
    """The balance in words, None where it cannot be asked for; raises what `fetch` raises."""
    http = dialect.balance()
    if http is None:
        return None
    try:
        return left(dialect.balances(await fetch(dialect, http)))
    except LlmctlError as error:
        if error.status != FORBIDDEN:
            raise
        return left([])


def left(balances: list[tuple[str, int]]) -> str:
    """How many tokens are left for what, and what has none."""
    if not balances:
        return _("pay as you go: no balance")
    text = _("tokens left: {balances}",
             balances=", ".join(f"{name} {number:,}" for name, number in balances))  # fmt: skip
    empty = [name for name, number in balances if number <= 0]
    if not empty:
        return text
    said = _("used up: {names} (buy more, or ask another model with -m)", names=", ".join(empty))
    return f"{text}; {said}"
