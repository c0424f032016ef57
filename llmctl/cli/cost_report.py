"""`llmctl cost report`: what the runs of the ledger cost, and what they would have cost."""

from typing import TYPE_CHECKING, Annotated

import typer

from llmctl.cli.options import Json
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.store.figures import By as Group

FORMATS = ("table", "json", "csv")
EPILOG = _(
    "Examples: llmctl cost report --by model --since 7d · "
    "llmctl cost report --by month --currency RUB · "
    "llmctl cost report --by project --format csv > costs.csv · "
    "llmctl cost report --what-if openai/gpt-6-luna · "
    'llmctl cost report --what-if local/MODEL --hardware "1500 USD" --power 200W --kwh "0.2 USD"'
)

By = Annotated[str, typer.Option("--by", metavar="day|month|model|provider|project|tag")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help=_("7d, 24h, a date or a moment (UTC)")),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="WHEN", help=_("the same; of a date, that day included")),
]
Model = Annotated[
    str | None, typer.Option("-m", "--model", metavar="MODEL", help=_("any part of its name"))
]
Provider = Annotated[str | None, typer.Option("--provider", metavar="ID", help=_("only this one"))]
Project = Annotated[
    str | None, typer.Option("--project", metavar="NAME", help=_("only what was asked in there"))
]
OfTag = Annotated[
    str | None, typer.Option("--tag", metavar="NAME", help=_("only what was asked with that --tag"))
]
Format = Annotated[str | None, typer.Option("--format", metavar="table|json|csv")]
Currency = Annotated[
    str | None,
    typer.Option("--currency", metavar="RUB", help=_("convert all to this, at a dated rate")),
]
Output = Annotated[
    str | None, typer.Option("--output", metavar="FILE", help=_("write the report to a file"))
]
WhatIf = Annotated[
    list[str] | None,
    typer.Option(
        "--what-if", metavar="MODEL", help=_("the same tokens at its prices of today, repeatable")
    ),
]
Hardware = Annotated[
    str | None,
    typer.Option(
        "--hardware",
        metavar='"1500 USD"',
        help=_("with a local model of --what-if: when such a machine is paid off"),
    ),
]
Power = Annotated[
    str | None,
    typer.Option("--power", metavar="200W", help=_("what the machine takes while it generates")),
]
Kwh = Annotated[
    str | None, typer.Option("--kwh", metavar='"0.2 USD"', help=_("a kilowatt-hour costs"))
]
Speed = Annotated[
    float | None,
    typer.Option(
        "--tokens-per-s",
        metavar="N",
        min=0.001,
        help=_("how fast the machine generates; without it as local runs took, or day and night"),
    ),
]


def report(
    by: By = "day",
    since: Since = None,
    until: Until = None,
    model: Model = None,
    provider: Provider = None,
    project: Project = None,
    tag: OfTag = None,
    what_if: WhatIf = None,
    hardware: Hardware = None,
    power: Power = None,
    kwh: Kwh = None,
    tokens_per_s: Speed = None,
    currency: Currency = None,
    format_: Format = None,
    json: Json = False,
    output: Output = None,
) -> None:
    """Sum up what the runs of the ledger cost: exactly, and each currency by itself."""
    from datetime import UTC, datetime

    from llmctl import settings
    from llmctl.cli.cost_told import Told
    from llmctl.cli.cost_what_if import machine, other, the_local_one
    from llmctl.cli.kept import open_ledger
    from llmctl.cli.logged import moment
    from llmctl.cost.break_even import Traffic
    from llmctl.cost.report import reported
    from llmctl.output.sink import sink_to
    from llmctl.output.streams import err
    from llmctl.output.terminal import detect
    from llmctl.store.entries import Wanted

    form = chosen_format(format_, json=json, what_if=bool(what_if))
    key = grouped(by)
    loaded = settings.load()
    now = datetime.now(UTC)
    others = [other(name, loaded, now) for name in what_if or ()]
    bought = machine(hardware, power, kwh, tokens_per_s)
    traffic = Traffic(the_local_one(others).name) if bought else None
    wanted = Wanted(
        model=model,
        provider=provider,
        since=moment(since),
        until=ending(until),
        project=project,
        tag=tag,
    )
    watchers = [*(one.repriced for one in others), *([traffic] if traffic else ())]
    with open_ledger(loaded) as ledger:
        found = reported(ledger.spending(key, wanted), watchers)
    told = Told(
        by=key,
        wanted=wanted,
        now=now,
        report=found,
        others=tuple(others),
        machine=bought,
        traffic=traffic,
    )
    told = told.in_currency(currency, loaded)
    for note in told.exchange.notes() if told.exchange else ():
        err(f"llmctl: {note}\n")
    sink = sink_to(output)
    sink.write(told.text(form, width=detect().stdout.width, ascii_only=not sink.unicode))
    sink.keep()


def chosen_format(format_: str | None, *, json: bool, what_if: bool) -> str:
    """Raises UsageError for a format that there is not, for two, and for what CSV cannot hold."""
    from llmctl.errors import UsageError

    if format_ is not None and format_ not in FORMATS:
        raise UsageError(
            _("--format does not know {word}", word=format_),
            hint=_("one of: {words}", words=", ".join(FORMATS)),
        )
    if json and format_ not in (None, "json"):
        raise UsageError(
            _("--json and --format {word} exclude each other", word=format_),
            hint=_("leave one of the two out"),
        )
    if format_ == "csv" and what_if:
        raise UsageError(
            _("--what-if has no CSV: its figures are no column of the report"),
            hint=_("to read it by program: --json"),
        )
    return "json" if json else format_ or "table"


def grouped(by: str) -> "Group":
    """Raises UsageError for what nothing is summed by."""
    from llmctl.errors import UsageError
    from llmctl.store.figures import By as Group

    if by not in list(Group):
        raise UsageError(
            _("--by does not know {word}", word=by),
            hint=_("one of: {words}", words=", ".join(Group)),
        )
    return Group(by)


def ending(until: str | None) -> str | None:
    """The moment up to which runs count, itself not included: of a mere date, that day is."""
    from datetime import date, timedelta

    from llmctl.cli.logged import moment

    try:
        day = date.fromisoformat(until or "") + timedelta(days=1)
    except (ValueError, OverflowError):  # no mere date, or the last there is
        return moment(until, "--until")
    return moment(day.isoformat())
