"""`llmctl cost budgets`: what the budgets are, and what stands under each."""

from typing import TYPE_CHECKING

from llmctl.cli.options import Json
from llmctl.messages import _

if TYPE_CHECKING:
    from datetime import datetime

    from llmctl.cost.caps import Stand
    from llmctl.settings import Loaded
    from llmctl.store.reservations import Pending, Standing

EPILOG = _(
    "Examples: llmctl cost budgets · llmctl cost budgets --json · "
    'llmctl config set budget.per_day "1 USD" · '
    'llmctl config set providers.openai.budget.per_month "20 USD"'
)


def budgets(json: Json = False) -> None:
    """Show the budgets of this day and month (UTC): spent, reserved for calls under way, left.

    They count what was sent while a budget was set. A reservation whose process was killed stays
    counted, at the most its call can have cost, until its day and month are over; it is listed.
    """
    from datetime import UTC, datetime

    from llmctl import settings

    loaded = settings.load()
    at = datetime.now(UTC)
    standing, pending = seen(loaded, at)
    stands, notes = reckoned(loaded, standing, at)
    if json:
        as_json(stands, pending)
    else:
        as_text(loaded, stands, pending, notes)


def seen(loaded: "Loaded", at: "datetime") -> "tuple[Standing, list[Pending]]":
    """What the state file says; nothing where there is none, which is not made for a look."""
    from llmctl import settings
    from llmctl.cost.budgets import open_store
    from llmctl.cost.caps import all_caps

    if not (settings.paths().data / "state.db").exists():
        return {}, []
    with open_store() as store:
        return store.seen([cap.scope for cap in all_caps(loaded, at)])


def reckoned(
    loaded: "Loaded", standing: "Standing", at: "datetime"
) -> "tuple[list[Stand | str], list[str]]":
    """A stand for each cap, or why there is none; and what to say of the rates that were used."""
    from llmctl.cost.caps import MARGIN, Exchange, all_caps, stand_of
    from llmctl.cost.rates import told
    from llmctl.errors import BudgetRefused

    exchange = Exchange(loaded, at.date())
    stands: list[Stand | str] = []
    for cap in all_caps(loaded, at):
        try:
            stands.append(stand_of(cap, standing, exchange))
        except BudgetRefused as missing:
            stands.append(missing.message)
    notes = []
    for used in exchange.used.values():
        notes.append(_("Counted at {rate} and {margin} %.", rate=used, margin=MARGIN))
        notes += [old.text for old in (told(used, exchange.today),) if old]
    return stands, notes


def as_text(
    loaded: "Loaded", stands: "list[Stand | str]", pending: "list[Pending]", notes: list[str]
) -> None:
    from llmctl.output.streams import err, out
    from llmctl.output.table import table

    rows = [row(one) for one in stands if not isinstance(one, str)]
    if rows:
        headers = [_("budget"), _("of"), _("limit"), _("spent"), _("reserved"), _("left"),
                   _("set in")]  # fmt: skip
        table(headers, rows, right=(2, 3, 4, 5))
    for problem in (one for one in stands if isinstance(one, str)):
        err(f"llmctl: {problem}\n")
    if (limit := loaded.settings.budget.per_call) is not None:
        out(_("A call may cost {limit}.", limit=limit) + "\n")
    elif not stands:
        err(_('No budget is set; such as: llmctl config set budget.per_day "1 USD"') + "\n")
    for note in notes:
        err(f"llmctl: {note}\n")
    if pending:
        out("\n" + _("Reserved and not settled (under way, or their process was killed):") + "\n")
        table(
            [_("since"), _("model"), _("at most"), _("process")],
            [(one.made_at, f"{one.provider}/{one.model}",
              f"{one.amount.normalize():f} {one.currency}", one.process) for one in pending],
        )  # fmt: skip


def row(stand: "Stand") -> tuple[object, ...]:
    from decimal import ROUND_CEILING, ROUND_FLOOR

    from llmctl.cost.admission import short
    from llmctl.cost.caps import Window
    from llmctl.cost.money import Money

    cap, code = stand.cap, stand.cap.money.currency
    window = _("day") if cap.window is Window.DAY else _("month")
    return (
        window,
        cap.provider or _("all"),
        cap.money,
        short(Money(stand.spent, code), ROUND_CEILING),
        short(Money(stand.reserved, code), ROUND_CEILING),
        short(Money(stand.left, code), ROUND_FLOOR),
        cap.origin,
    )


def as_json(stands: "list[Stand | str]", pending: "list[Pending]") -> None:
    """Amounts are decimal strings in the currency of their budget; a budget whose currency has no
    rate to what was spent is left out of `budgets` and said in `problems`."""
    from llmctl.output.envelope import document
    from llmctl.types.amounts import plain

    document(
        {
            "version": 1,
            "budgets": [
                {
                    "window": one.cap.window,
                    "provider": one.cap.provider,
                    "limit": plain(one.cap.money.amount),
                    "currency": one.cap.money.currency,
                    "spent": plain(one.spent),
                    "reserved": plain(one.reserved),
                    "left": plain(one.left),
                    "origin": one.cap.origin.code,
                }
                for one in stands
                if not isinstance(one, str)
            ],
            "problems": [one for one in stands if isinstance(one, str)],
            "open": [
                {
                    "reserved_at": one.made_at,
                    "provider": one.provider,
                    "model": one.model,
                    "amount": plain(one.amount),
                    "currency": one.currency,
                    "process": one.process,
                }
                for one in pending
            ],
        }
    )
