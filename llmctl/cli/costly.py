"""A prompt that is dear by its length alone, where no budget guards: asked about on a terminal,
mentioned elsewhere."""

from typing import TYPE_CHECKING

from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.cost.estimate import Estimate
    from llmctl.output.terminal import Terminal

# What the input alone may cost unasked, by currency.
UNASKED = {"USD": 1, "EUR": 1, "RUB": 100}
YES = ("y", "yes", "д", "да")


def agreed(estimate: "Estimate", terminal: "Terminal", *, may_ask: bool, quiet: bool) -> None:
    """Raises BudgetRefused where the user says no. A script is never held up: it gets a note."""
    cost = estimate.high_input
    limit = None if cost is None else UNASKED.get(cost.currency)
    if cost is None or limit is None or cost.amount <= limit:
        return
    from decimal import ROUND_CEILING

    from llmctl.cost.admission import short
    from llmctl.errors import BudgetRefused
    from llmctl.output.streams import err

    text = _("the prompt alone may cost {amount} ({tokens} tokens)", tokens=estimate.input_most,
             amount=short(cost, ROUND_CEILING))  # fmt: skip
    if not (may_ask and terminal.stdin_is_tty and terminal.stderr.is_tty):
        if not quiet:
            err(f"llmctl: {text}; " + _("a limit to what a call may cost: --max-cost") + "\n")
        return
    err(f"llmctl: {text}. " + _("Send it?") + " " + _("[y/N]") + " ")
    try:
        typed = input().strip().lower()
    except EOFError:
        typed = ""
    if typed not in YES:
        raise BudgetRefused(
            _("not sent: {text}", text=text),
            hint=_("shorten it, or say what it may cost: --max-cost AMOUNT"),
            reason="declined",
        )
