"""`llmctl cost rates`: rates of exchange, each with its day and source."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmctl.cli.options import Json
from llmctl.messages import _

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from llmctl.cost.rates import Rate

app = typer.Typer(
    help=_("Rates of exchange: list, set, fetch those of the Bank of Russia."),
    rich_markup_mode=None,
    add_completion=False,
)


@app.callback(invoke_without_command=True)
def rates(context: typer.Context) -> None:
    """Rates of exchange: list, set, fetch those of the Bank of Russia."""
    if context.invoked_subcommand is None:
        show(json=False)


@app.command("list", epilog=_("Examples: llmctl cost rates list · llmctl cost rates list --json"))
def list_(json: Json = False) -> None:
    """List the rates there are, with their age and where each comes from.

    [rates] of the settings beats what `update` has stored, and that what ships with llmctl.
    """
    show(json=json)


def show(*, json: bool) -> None:
    from datetime import UTC, datetime

    from llmctl import settings
    from llmctl.cost.rates import known_rates
    from llmctl.output.envelope import document
    from llmctl.output.streams import err
    from llmctl.output.table import table

    today = datetime.now(UTC).date()
    found = known_rates(settings.load()).all()
    if json:
        document({"version": 1, "rates": [as_json(one, today) for one in found.values()]})
        return
    if not found:
        err(_("No rate is known yet; fetch those of the Bank of Russia: llmctl cost rates update")
            + "\n")  # fmt: skip
        return
    places = {"settings": _("settings"), "stored": _("stored"), "shipped": _("shipped")}
    rows = [
        (one.pair, f"{one.rate:f}", one.day, one.age(today), one.source, places[one.origin])
        for one in found.values()
    ]
    headers = [_("pair"), _("rate"), _("day"), _("days old"), _("source"), _("where from")]
    table(headers, rows, right=(1, 3))
    say_age(found.values(), today)


@app.command("set", epilog=_("Example: llmctl cost rates set USD/RUB 81.90 --source invoice"))
def set_(
    pair: Annotated[str, typer.Argument(metavar="PAIR", help=_("such as USD/RUB"))],
    rate: Annotated[str, typer.Argument(metavar="RATE", help=_("how many RUB one USD costs, say"))],
    date: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help=_("its day; today"))
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help=_("where it is from"))] = None,
) -> None:
    """Write a rate of one's own into the settings, where it beats every other."""
    from datetime import UTC, datetime

    from llmctl import settings
    from llmctl.cost.rates import lies_ahead, read_rate
    from llmctl.errors import ConfigError, UsageError
    from llmctl.output.streams import err

    today = datetime.now(UTC).date()
    if date is not None:
        try:
            today.fromisoformat(date)
        except ValueError:
            raise UsageError(
                _("{text} is no date (YYYY-MM-DD)", text=date),
                hint=_("such as: llmctl cost rates set USD/RUB 81.90 --date 2026-11-20"),
            ) from None
    said = {
        "rate": rate.replace(",", "."),
        "date": date or f"{today}",
        "source": source or _("set by hand"),
    }
    try:
        known = read_rate(pair.upper(), said, "settings")
    except ConfigError:
        raise UsageError(
            _("{pair} {rate} is no rate of exchange", pair=pair, rate=rate),
            hint=_("such as: llmctl cost rates set USD/RUB 81.90 --date 2026-11-20"),
        ) from None
    if lies_ahead(known.day, today):
        raise UsageError(
            _("{day} is a day to come, for which no rate is known", day=known.day),
            hint=_("such as: llmctl cost rates set USD/RUB 81.90 --date 2026-11-20"),
        )
    settings.set_value(f"rates.{known.pair}", said)
    err(_("From now on: {rate}", rate=known) + "\n")


@app.command(
    "update",
    epilog=_("Examples: llmctl cost rates update · llmctl cost rates update --from XML_daily.xml"),
)
def update(
    from_: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help=_("read the bank's list from a file")),
    ] = None,
) -> None:
    """Fetch the rates of the Bank of Russia and store them in the data folder.

    Its address is https://www.cbr.ru/scripts/XML_daily.asp, or what network.rates_url says. What
    stands in [rates] of the settings goes on to beat them.
    """
    from datetime import UTC, datetime

    from llmctl import settings
    from llmctl.cli.loop import run_async
    from llmctl.cost import bank
    from llmctl.cost.rates import BRIDGE, COMMON, store, stored_file
    from llmctl.errors import ProviderFailed, UsageError
    from llmctl.output.streams import err, out

    loaded = settings.load()
    document = read_file(from_) if from_ else run_async(bank.fetched(loaded))
    today = datetime.now(UTC).date()
    try:
        found = bank.read_list(document, today)
    except ProviderFailed as error:
        if from_ is None:
            raise
        raise UsageError(error.message, hint=error.hint) from None  # no provider was asked
    store(found)
    for code in COMMON:
        if (one := found.get(f"{code}/{BRIDGE}")) is not None:
            out(f"{one}\n")
    err(_("{count} rates are stored in {path}.", count=len(found), path=stored_file()) + "\n")
    say_age(found.values(), today)
    if own := sorted(loaded.settings.rates.keys() & found.keys()):
        err(_("The settings have rates of their own, which still hold: {pairs}",
              pairs=", ".join(own)) + "\n")  # fmt: skip


def read_file(path: Path) -> bytes:
    from llmctl.files import unreadable

    try:
        return path.read_bytes()
    except OSError as error:
        hint = _("--from takes the bank's list as it is: XML in windows-1251")
        raise unreadable(error, path, hint) from None


def say_age(found: "Iterable[Rate]", today: "date") -> None:
    """One line for the oldest rate, if it is old."""
    from llmctl.cost.rates import told
    from llmctl.output.streams import err

    oldest = min(found, key=lambda one: one.day)
    if (notice := told(oldest, today)) is not None:
        err(f"llmctl: {notice.text}\n")


def as_json(one: "Rate", today: "date") -> "dict[str, object]":
    return {
        "pair": one.pair,
        "rate": f"{one.rate:f}",
        "date": f"{one.day}",
        "age_days": one.age(today),
        "source": one.source,
        "origin": one.origin,
    }
