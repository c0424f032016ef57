"""`llmctl logs`: what was asked and answered, what it cost and how long it took."""

from typing import Annotated

import typer

from llmctl.cli.options import Json
from llmctl.messages import _

app = typer.Typer(
    help=_("What was asked and answered, what it cost and how long it took."),
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

Model = Annotated[
    str | None, typer.Option("-m", "--model", metavar="MODEL", help=_("any part of its name"))
]
Provider = Annotated[str | None, typer.Option("--provider", metavar="ID", help=_("only this one"))]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help=_("7d, 24h, a date or a moment (UTC)")),
]
Conversation = Annotated[
    str | None, typer.Option("--cid", metavar="ID", help=_("only this conversation"))
]
Failed = Annotated[bool, typer.Option("--failed", help=_("only what failed"))]
Limit = Annotated[
    int, typer.Option("-n", "--limit", metavar="N", help=_("how many, 0 for all"), min=0)
]


@app.command(
    "list",
    epilog=_("Examples: llmctl logs list · llmctl logs list --failed --since 7d --json"),
)
def list_(
    limit: Limit = 20,
    model: Model = None,
    provider: Provider = None,
    conversation: Conversation = None,
    failed: Failed = False,
    since: Since = None,
    json: Json = False,
) -> None:
    """List runs, the newest first."""
    from llmctl.cli.kept import open_ledger
    from llmctl.cli.logged import LIST_HEADERS, LIST_RIGHT, list_json, list_row, moment
    from llmctl.output.envelope import document
    from llmctl.output.table import table
    from llmctl.store.entries import Wanted

    wanted = Wanted(
        model=model,
        provider=provider,
        since=moment(since),
        conversation=conversation,
        failed_only=failed,
    )
    with open_ledger() as ledger:
        found = ledger.list(limit or -1, wanted)
    if json:
        document({"version": 1, "runs": [list_json(entry) for entry in found]})
    else:
        table(LIST_HEADERS, [list_row(entry) for entry in found], right=LIST_RIGHT)


@app.command("show", epilog=_("Examples: llmctl logs show · llmctl logs show 019ab --json"))
def show(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help=_("an id or its beginning; the last run if left out")),
    ] = None,
    json: Json = False,
) -> None:
    """Show one run: what was said, the answer and its receipt."""
    from llmctl.cli.kept import open_ledger
    from llmctl.cli.logged import whole_json, whole_text
    from llmctl.output.envelope import document
    from llmctl.output.streams import out
    from llmctl.output.terminal import detect, safe

    with open_ledger() as ledger:
        entry = ledger.last() if run is None else ledger.get(run)
    if json:
        document(whole_json(entry))
    else:
        text = whole_text(entry)
        out(safe(text) if detect().stdout.is_tty else text)


@app.command(
    "search", epilog=_("Examples: llmctl logs search sky · llmctl logs search 'two words' --json")
)
def search(
    text: Annotated[str, typer.Argument(help=_("words, or their beginnings"))],
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """Find runs by what was said in them."""
    from llmctl.cli.kept import open_ledger
    from llmctl.cli.logged import list_json
    from llmctl.output.envelope import document
    from llmctl.output.table import table

    with open_ledger() as ledger:
        hits = ledger.search(text, limit or -1)
    if json:
        runs = [{**list_json(hit.entry), "excerpt": hit.excerpt} for hit in hits]
        document({"version": 1, "runs": runs})
        return
    headers = [_("id"), _("started (UTC)"), _("model"), _("text")]
    rows = [
        (
            hit.entry.receipt.id,
            hit.entry.receipt.started_at,
            hit.entry.receipt.requested,
            hit.excerpt,
        )
        for hit in hits
    ]
    table(headers, rows)


@app.command("stats", epilog=_("Examples: llmctl logs stats · llmctl logs stats --by day --json"))
def stats(
    by: Annotated[
        str,
        typer.Option(
            "--by", metavar="GROUP", help=_("model, provider, day, month, project or tag")
        ),
    ] = "model",
    since: Since = None,
    json: Json = False,
) -> None:
    """Sum up runs, tokens, cost and times, with percentiles of what was measured.

    A percentile is interpolated between the two nearest values; p95 is known from 20 runs on, p99
    from 100. Runs that failed have no times here.
    """
    from llmctl.cli.kept import open_ledger
    from llmctl.cli.ledger_sums import (
        BY_HEADERS,
        STATS_HEADERS,
        TIMES_HEADERS,
        stats_json,
        stats_row,
        times_rows,
    )
    from llmctl.cli.logged import moment
    from llmctl.errors import UsageError
    from llmctl.output.envelope import document
    from llmctl.output.streams import out
    from llmctl.output.table import table
    from llmctl.store.figures import By

    if by not in list(By):
        raise UsageError(
            _("--by does not know {word}", word=by),
            hint=_("one of: {words}", words=", ".join(By)),
        )
    with open_ledger() as ledger:
        sums = ledger.stats(By(by), moment(since) or "")
    if json:
        document({"version": 1, "by": by, "stats": [stats_json(one) for one in sums]})
    else:
        headers = [BY_HEADERS[By(by)], *STATS_HEADERS]
        table(headers, [stats_row(one) for one in sums], right=range(1, len(headers)))
        if times := [row for one in sums for row in times_rows(one)]:
            out("\n")
            table([BY_HEADERS[By(by)], *TIMES_HEADERS], times, right=range(1, 6))


@app.command(
    "purge",
    epilog=_("Examples: llmctl logs purge --older-than 30 · llmctl logs purge --all --yes"),
)
def purge(
    run: Annotated[
        str | None, typer.Argument(metavar="[ID]", help=_("an id or its beginning"))
    ] = None,
    older_than: Annotated[
        float | None,
        typer.Option("--older-than", metavar="DAYS", help=_("every run older than that"), min=0),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=_("every run"))] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help=_("do not ask"))] = False,
) -> None:
    """Delete runs for good: their bytes are overwritten in the file."""
    from llmctl import settings
    from llmctl.cli.kept import open_ledger
    from llmctl.cli.ledger_sums import purge_question, sure
    from llmctl.errors import UsageError
    from llmctl.output.streams import err
    from llmctl.store.answers import FILE, purge_answers

    if sum((run is not None, older_than is not None, everything)) != 1:
        raise UsageError(
            _("name what to delete: an id, --older-than DAYS or --all"),
            hint=_("see what is there: llmctl logs list"),
        )
    with open_ledger() as ledger:
        if run is not None:
            run = ledger.get(run).receipt.id
        if not (yes or sure(purge_question(run, older_than))):
            err(_("Nothing was deleted.") + "\n")
            return
        purged = ledger.purge(id=run, older_than_days=older_than, everything=everything)
    err(_("Deleted: {count}", count=purged) + "\n")
    if run is None:
        purged = purge_answers(settings.paths().data / FILE, older_than)
        if purged:
            err(_("Deleted answers of the cache: {count}", count=purged) + "\n")


@app.command("explain", epilog=_("Examples: llmctl logs explain · llmctl logs explain --json"))
def explain(json: Json = False) -> None:
    """Say what is kept, where and for how long, and how to keep less."""
    from llmctl.cli.kept import open_ledger
    from llmctl.cli.ledger_sums import explain_json, explain_text
    from llmctl.output.envelope import document
    from llmctl.output.streams import out

    with open_ledger() as ledger:
        known = ledger.explain()
    if json:
        document(explain_json(known))
    else:
        out(explain_text(known))


@app.command(
    "export", epilog=_("Examples: llmctl logs export > runs.jsonl · llmctl logs export --since 7d")
)
def export(
    model: Model = None,
    provider: Provider = None,
    conversation: Conversation = None,
    failed: Failed = False,
    since: Since = None,
) -> None:
    """Write whole runs as JSON, one a line, the newest first."""
    from llmctl.cli.kept import open_ledger
    from llmctl.cli.logged import moment, whole_json
    from llmctl.output.envelope import document
    from llmctl.store.entries import Wanted

    wanted = Wanted(
        model=model,
        provider=provider,
        since=moment(since),
        conversation=conversation,
        failed_only=failed,
    )
    with open_ledger() as ledger:
        for entry in ledger.each(wanted):
            document(whole_json(entry))


@app.command("path", epilog=_("Example: llmctl logs path"))
def path() -> None:
    """Print where the ledger is."""
    from llmctl.cli.kept import open_ledger
    from llmctl.output.streams import out

    with open_ledger() as ledger:
        out(f"{ledger.path}\n")
