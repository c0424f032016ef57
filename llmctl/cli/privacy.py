"""`llmctl privacy`: what becomes of what is sent, and why."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmctl.cli.options import Encoding, Json
from llmctl.messages import _

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(
    help=_("What becomes of the data, by provider and model, with sources and dates."),
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
Profile = Annotated[
    str | None, typer.Option("--profile", metavar="NAME", help=_("settings of this profile"))
]


@app.command("list", epilog=_("Examples: llmctl privacy list · llmctl privacy list --json"))
def list_(json: Json = False, profile: Profile = None) -> None:
    """List every provider, once for each tier: level, region, how long data are kept, whether
    they are trained on and read by people, and when that was checked.

    What llmctl asks of a provider unasked and what you attested is counted in.
    """
    from llmctl import settings
    from llmctl.engine.explained import overview
    from llmctl.output.envelope import document
    from llmctl.output.streams import out
    from llmctl.output.table import table

    rows = list(overview(settings.load(profile=profile)))
    if json:
        document({"version": 1, "providers": rows})
        return
    headers = [_("provider"), _("tier"), _("level"), _("region"), _("days"), _("trains"),
               _("review"), _("checked")]  # fmt: skip
    table(headers, [_line(row) for row in rows], right=(4,))
    out("".join(f"{text}: {', '.join(names)}\n" for text, names in _marks(rows) if names))
    out(_("\nWithout a stated tier the worst of them counts. More: llmctl privacy explain MODEL\n"))


def _line(row: dict[str, Any]) -> list[object]:
    from llmctl.cli.privacy_shown import word

    return [
        row["provider"],
        row["tier"] or "",
        row["level"],
        "/".join(row["regions"]) or None,
        row["retention_days"],
        word(row["trains"]),
        word(row["human_review"]),
        row["checked"],
    ]


def _marks(rows: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """What holds of some providers alone, and of which."""
    today = _today()

    def named(wanted: "Callable[[dict[str, Any]], bool]") -> list[str]:
        return [
            row["provider"] + (f" ({row['tier']})" if row["tier"] else "")
            for row in rows
            if wanted(row)
        ]

    return [
        (_("attested by you"), named(lambda row: bool(row["attested"]))),
        (_("facts are old"), named(lambda row: bool(row["expires"]) and row["expires"] < today)),
        (_("forbidden by policy"), named(lambda row: not row["allowed"])),
    ]


def _today() -> str:
    from llmctl.privacy.standing import utc_today

    return utc_today().isoformat()


@app.command(
    "explain",
    epilog=_(
        "Examples: llmctl privacy explain openai/gpt-6-luna · llmctl privacy explain"
        " gemini/gemini-4-argon --json"
    ),
)
def explain(
    model: Annotated[str, typer.Argument(metavar="MODEL", help=_("provider/model"))],
    json: Json = False,
    profile: Profile = None,
) -> None:
    """Explain what becomes of a prompt to a model: the level and why, facts with their sources,
    what is sent to ask for less, what you attested, which rules forbid it. Nothing is sent.
    """
    from llmctl import settings
    from llmctl.engine.explained import explained
    from llmctl.output.envelope import document

    known = explained(model, settings.load(profile=profile))
    if json:
        document({"version": 1, **known})
        return
    from llmctl.cli.privacy_shown import print_explained

    print_explained(known)


@app.command(
    "check",
    epilog=_(
        "Examples: llmctl privacy check contract.txt · git diff | llmctl privacy check ·"
        " llmctl privacy check clients.csv --types email,phone --json"
    ),
)
def check(
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help=_("a text; standard input if left out"))
    ] = "-",
    json: Json = False,
    types: Annotated[
        str | None,
        typer.Option("--types", metavar="TYPE,...", help=_("only these, such as secret,email")),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help=_("names of people too (needs the extra: pii)"))
    ] = False,
    encoding: Encoding = None,
) -> None:
    """Search a text for secrets and personal data, as it is done before sending. Nothing is sent;
    the exit code is 17 where something was found.
    """
    from llmctl.cli import privacy_check

    privacy_check.check(file, json=json, types=types, names=names, encoding=encoding)
