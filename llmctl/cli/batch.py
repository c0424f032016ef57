"""`llmctl batch`: many prompts from a file, none lost and none paid twice."""

from typing import Annotated

import typer

from llmctl.cli import batch_native
from llmctl.cli import batch_options as b
from llmctl.cli import options as o
from llmctl.messages import _

app = typer.Typer(
    help=_(
        "Many prompts from a file: as many at a time as the provider takes, none lost, none paid"
        " twice. The same command again goes on where a job ended."
    ),
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)


@app.command(
    "run",
    short_help=_("Ask for every row of a file, and write an answer a row."),
    epilog=_(
        "Examples: llmctl batch run prompts.jsonl --output out.jsonl -m gigachat/GigaChat-2 · "
        "llmctl batch run texts.csv --column text -t translate -p to=Russian"
        " --output out.csv -m openai/gpt-6-luna -j 32 --max-cost 5USD · "
        "llmctl batch run rows.jsonl --output out.jsonl -m openai/gpt-6-luna"
        " --fallback yandexgpt/yandexgpt-5-lite --on-pii local · "
        "generate | llmctl batch run - --output - -m ollama/qwen3 | jq .text · "
        "llmctl batch run rows.jsonl --output out.jsonl -m openai/gpt-6-luna --dry-run"
    ),
)
def run(
    input: b.In = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="OUT",
            help=_("where answers go: .jsonl, .csv, .tsv, .parquet, or - for standard output"),
        ),
    ] = None,
    model: o.Model = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "-j",
            "--concurrency",
            min=1,
            max=2000,
            metavar="N",
            help=_("requests at a time, at most; 8, or what the provider allows"),
        ),
    ] = None,
    column: b.Column = None,
    columns: b.Columns = None,
    attachments: b.AttachmentColumn = None,
    ordered: Annotated[
        bool, typer.Option("--ordered", help=_("write the output in the order of the input"))
    ] = False,
    restart: b.Restart = False,
    only_new: b.OnlyNew = False,
    limit: b.Limit = None,
    shard: b.Shard = None,
    fallback: Annotated[
        list[str] | None,
        typer.Option(
            "--fallback",
            metavar="MODEL",
            help=_(
                "who is asked where the model is limited, down, cuts off or filters; repeatable"
            ),
        ),
    ] = None,
    on_pii: Annotated[
        str | None,
        typer.Option(
            "--on-pii",
            metavar="local|local/MODEL",
            help=_("who is asked what policy lets go nowhere else"),
        ),
    ] = None,
    requests_per_minute: Annotated[
        int | None,
        typer.Option(
            "--rpm",
            "--requests-per-minute",
            min=1,
            metavar="N",
            help=_("requests a minute, at most"),
        ),
    ] = None,
    tokens_per_minute: Annotated[
        int | None,
        typer.Option(
            "--tpm", "--tokens-per-minute", min=1, metavar="N", help=_("tokens a minute, at most")
        ),
    ] = None,
    no_dedupe: Annotated[
        bool, typer.Option("--no-dedupe", help=_("ask identical rows each by itself"))
    ] = False,
    cache: Annotated[
        bool, typer.Option("--cache", help=_("keep answers, and take those of earlier jobs"))
    ] = False,
    give_up: Annotated[
        float,
        typer.Option(
            "--give-up",
            min=0.0,
            metavar="S",
            help=_("seconds after which a provider counts as down where nothing works"),
        ),
    ] = 300.0,
    grace: Annotated[
        float,
        typer.Option(
            "--grace",
            min=0.0,
            metavar="S",
            help=_("seconds that rows under way have to end after Ctrl-C"),
        ),
    ] = 20.0,
    summary: b.Summary = None,
    engine: Annotated[
        str | None,
        typer.Option("--engine", metavar="ray", help=_("run on a cluster (the extra ray)")),
    ] = None,
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
    no_log: o.NoLog = False,
    log: o.Log = None,
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
    tag: o.Tag = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help=_("say what it would take and cost; nothing is sent")),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help=_("with --dry-run: as one JSON document"))
    ] = False,
    profile: o.Profile = None,
    no_input: o.NoInput = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Ask for every row of a file, as many at a time as the provider takes, and write an answer a
    row. The same command again goes on where it was.

    A row has `prompt`, or `messages`, or columns for a template; also `id`, `model`, `system`,
    `options` and `schema`. Failures stand beside the output: those of out.jsonl in
    out.errors.jsonl.
    """
    given = dict(locals())
    from llmctl.cli.batch_asked import BatchAsked
    from llmctl.cli.batching import ran

    ran(BatchAsked(**given))


@app.command(
    "status",
    epilog=_("Examples: llmctl batch status out.jsonl · llmctl batch status out.jsonl --json"),
)
def status(
    output: b.Out,
    json: o.Json = False,
) -> None:
    """How far a job is, also while it runs."""
    from llmctl.cli.batch_looks import show_status

    show_status(output, json=json)


@app.command(
    "retry",
    short_help=_("Ask the failed rows of a job again, as they were asked before."),
    epilog=_(
        "Examples: llmctl batch retry out.jsonl · "
        "llmctl batch retry out.jsonl --cause rate-limited --cause filtered -j 4"
    ),
)
def retry(
    output: b.Out,
    cause: Annotated[
        list[str] | None,
        typer.Option(
            "--cause", metavar="CODE", help=_("only rows that failed with this; repeatable")
        ),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "-j", "--concurrency", min=1, max=2000, metavar="N", help=_("requests at a time")
        ),
    ] = None,
    max_cost: o.MaxCost = None,
    summary: b.Summary = None,
    quiet: o.Quiet = False,
    no_color: o.NoColor = False,
) -> None:
    """Ask the rows of a job again that failed, as they were asked before.

    Model, template, privacy and all other options are those of the job; what is given here comes
    before them.
    """
    from llmctl.cli.batch_looks import retried

    retried(
        output,
        cause,
        concurrency=concurrency,
        max_cost=max_cost,
        summary=summary,
        quiet=quiet,
        no_color=no_color,
    )


@app.command(
    "report",
    epilog=_("Examples: llmctl batch report out.jsonl --output report.html"),
)
def report(
    output: b.Out,
    page: Annotated[
        str, typer.Option("--output", metavar="FILE", help=_("the page to write: report.html"))
    ],
) -> None:
    """Costs, times and failures of a job as one page of HTML."""
    from llmctl.cli.batch_looks import reported

    reported(output, page)


batch_native.add_to(app)
