"""`llmctl batch submit|jobs|fetch|cancel`: rows that a provider answers later, for less."""

from typing import Annotated

import typer

from llmctl.cli import batch_options as b
from llmctl.cli import options as o
from llmctl.messages import _


def add_to(app: typer.Typer) -> None:
    """Add the four commands."""
    app.command(
        "submit",
        short_help=_("Hand the rows in as batches, answered within a day for less."),
        epilog=_(
            "Examples: llmctl batch submit rows.jsonl --output out.jsonl -m openai/gpt-6-luna · "
            "llmctl batch submit texts.csv --column text -s 'Summarise.' --output out.jsonl"
            " -m anthropic/claude-haiku-5-5 --max-cost 5USD · "
            "llmctl batch submit rows.jsonl --output out.jsonl -m gemini/gemini-3.8-flash --dry-run"
        ),
    )(submit)
    app.command(
        "jobs",
        short_help=_("Jobs that were handed in from here, and how far each is."),
        epilog=_("Examples: llmctl batch jobs · llmctl batch jobs --json | jq .jobs"),
    )(jobs)
    app.command(
        "fetch",
        short_help=_("Bring the answers of a job that was handed in."),
        epilog=_(
            "Examples: llmctl batch fetch out.jsonl · llmctl batch fetch out.jsonl --wait"
            " --every 60"
        ),
    )(fetch)
    app.command("cancel", epilog=_("Examples: llmctl batch cancel out.jsonl"))(cancel)


def submit(
    input: b.In = None,
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="OUT", help=_("where answers will go: out.jsonl")),
    ] = None,
    model: o.Model = None,
    column: b.Column = None,
    columns: b.Columns = None,
    attachments: b.AttachmentColumn = None,
    restart: b.Restart = False,
    only_new: b.OnlyNew = False,
    limit: b.Limit = None,
    shard: b.Shard = None,
    input_format: b.InputFormat = None,
    system: o.System = None,
    option: o.Options = None,
    template: o.Template = None,
    param: o.Params = None,
    schema: o.Schema = None,
    max_tokens: o.MaxTokens = None,
    temperature: o.Temperature = None,
    seed: o.Seed = None,
    stop: o.Stop = None,
    complete: o.Complete = False,
    encoding: o.Encoding = None,
    timeout: o.Timeout = None,
    idle_timeout: o.IdleTimeout = None,
    privacy: o.Privacy = None,
    local_only: o.LocalOnly = False,
    require: o.Require = None,
    redact: o.Redact = False,
    redact_names: o.RedactNames = None,
    secrets: o.Secrets = None,
    allow_logging: o.AllowLogging = False,
    attachment: b.Attachment = None,
    attachment_type: o.AttachmentType = None,
    max_cost: o.MaxCost = None,
    allow_unknown_cost: o.AllowUnknownCost = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help=_("say what would be handed in and cost; nothing is sent")),
    ] = False,
    json: o.Json = False,
    profile: o.Profile = None,
    no_input: o.NoInput = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Hand the rows of a file in as batches, which the provider answers later, as a rule within a
    day and for half the price (GigaChat does not say what its batches cost). The same command again
    hands in what is left, or has expired.

    Rows are those of `batch run`. The answers come with `llmctl batch fetch OUT`.
    """
    given = dict(locals())
    from llmctl.cli.batch_asked import BatchAsked
    from llmctl.cli.batch_native_submit import submitted

    submitted(BatchAsked(**given))


def jobs(json: o.Json = False, profile: o.Profile = None, no_color: o.NoColor = False) -> None:
    """The jobs that were handed in from here, and how far each is at its provider."""
    from llmctl.cli.batch_native_jobs import show_jobs

    show_jobs(json=json, profile=profile, no_color=no_color)


def fetch(
    output: b.Out,
    wait: Annotated[
        bool, typer.Option("--wait", help=_("until all answers are here; it may take a day"))
    ] = False,
    every: Annotated[
        float,
        typer.Option("--every", min=0.1, metavar="S", help=_("with --wait: seconds between looks")),
    ] = 30.0,
    keep: Annotated[
        bool, typer.Option("--keep", help=_("leave files and results at the provider"))
    ] = False,
    summary: b.Summary = None,
    no_log: o.NoLog = False,
    tag: o.Tag = None,
    profile: o.Profile = None,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
) -> None:
    """Bring the answers of a job that was handed in, as far as they are there.

    They go to OUT, failures beside it, as those of `batch run`. Exit 12: some are still under way.
    """
    from llmctl.cli.batch_asked import BatchAsked
    from llmctl.cli.batch_native_fetch import fetched

    asked = BatchAsked(output=output, keep=keep, summary=summary, no_log=no_log, tag=tag,
                       profile=profile, quiet=quiet, no_color=no_color)  # fmt: skip
    fetched(asked, wait=wait, every=every)


def cancel(
    output: b.Out, profile: o.Profile = None, quiet: o.Quiet = False, no_color: o.NoColor = False
) -> None:
    """Cancel what is still under way of a job. What was answered by then is kept, billed, and comes
    with `llmctl batch fetch OUT`. GigaChat has no way to cancel."""
    from llmctl.cli.batch_native_jobs import cancelled

    cancelled(output, profile=profile, quiet=quiet, no_color=no_color)
