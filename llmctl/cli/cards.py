"""`llmctl cards`: newer facts about providers without a newer llmctl."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from llmctl.cli.options import Json, LocalOnly, Quiet
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.engine.card_updates import Plan
    from llmctl.settings import Loaded

app = typer.Typer(
    help=_("What is known of providers: addresses, models, prices, privacy; refreshed on request."),
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.command(
    "update",
    epilog=_(
        "Examples: llmctl cards update · llmctl cards update --dry-run"
        " · llmctl cards update --from openai.toml"
        " · llmctl cards update --from https://example.com/llmctl_cli-1.0-py3-none-any.whl --yes"
    ),
)
def update(
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE|URL",
            help=_("a card, a folder of them, or a package of llmctl; over https or a file"),
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help=_("do not ask"))] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("show what would change, and change nothing"))
    ] = False,
    local_only: LocalOnly = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Take newer cards of providers: from the newest release at the package index that your pip or
    uv uses, or from where you say.

    They are checked, what changes is shown, and nothing is kept unless you agree. Your own cards
    stay in front, and an upgrade of llmctl brings cards of its own.
    """
    from llmctl.cli.cards_shown import plan_json, show_plan
    from llmctl.engine.card_updates import planned, store
    from llmctl.output.envelope import document
    from llmctl.output.streams import err

    found, place = _gathered(source, _settings(local_only), quiet=quiet)
    plan = planned(found)
    if not json:
        show_plan(plan, place)
    wanted = bool(plan.updates) and not dry_run
    if wanted and json and not yes:  # a program is asked nothing, and learns all the same
        document(plan_json(plan, place, stored=False))
    agreed = wanted and (yes or _agreed(plan, json=json))
    if agreed:
        store(plan.updates, place, given=source is not None)
    if json:
        document(plan_json(plan, place, stored=agreed))
    elif agreed and not quiet:
        err(_("Cards refreshed: {count}; back to those of this version: llmctl cards reset",
              count=len(plan.updates)) + "\n")  # fmt: skip
    elif plan.updates and not dry_run:
        err(_("Nothing was changed.") + "\n")


def _settings(local_only: bool) -> "Loaded":
    from llmctl import settings

    if not local_only:
        return settings.load()
    return settings.load({"policy.max_level": "device"}, spelt={"policy.max_level": "--local-only"})


def _gathered(source: str | None, loaded: "Loaded", *, quiet: bool) -> tuple[dict[str, bytes], str]:
    """Texts of cards by provider, and where they come from in words that are kept."""
    from functools import partial
    from pathlib import Path

    from llmctl.cli.loop import run_async
    from llmctl.engine.card_sources import of_index, of_path, of_url
    from llmctl.output.progress import bar

    if source is None:
        return run_async(of_index(loaded, partial(bar, quiet=quiet)))
    if "://" in source:
        return run_async(of_url(source, loaded)), source
    path = Path(source).expanduser()
    return of_path(path), str(path.absolute())


def _agreed(plan: "Plan", *, json: bool) -> bool:
    """Ask on a terminal, where Enter means no; elsewhere raises UsageError."""
    from llmctl.errors import UsageError
    from llmctl.output.streams import err

    if json or sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            _("taking new cards asks first, and this is no terminal"),
            hint=_("to look: llmctl cards update --dry-run; to take them unasked: --yes"),
        )
    err(_("Take what differs ({count})?", count=len(plan.updates)) + " " + _("[y/N]") + " ")
    return sys.stdin.readline().strip().lower() in ("y", "yes", "д", "да")


@app.command("list", epilog=_("Examples: llmctl cards list · llmctl cards list --json"))
def list_(json: Json = False) -> None:
    """List the cards: shipped, refreshed or your own, when each was refreshed and from where."""
    from llmctl import __version__
    from llmctl.cli.cards_shown import known_cards, show_cards
    from llmctl.output.envelope import document

    rows = known_cards()
    if json:
        document({"version": 1, "llmctl": __version__, "cards": rows})
    else:
        show_cards(rows)


@app.command("reset", epilog=_("Example: llmctl cards reset"))
def reset() -> None:
    """Go back to the cards that came with this version of llmctl. Your own cards stay."""
    from llmctl.engine.card_updates import reset as taken_away
    from llmctl.output.streams import err

    count = taken_away()
    err(_("Refreshed cards taken away: {count}", count=count) + "\n")
