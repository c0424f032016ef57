"""`llmctl embed`: texts to vectors, and which lines are most like a question."""

from typing import Annotated

import typer

from llmctl.cli import options as o
from llmctl.messages import _

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    epilog=_(
        'Examples: llmctl embed -m openai/text-embedding-3-small "a text" · '
        "llmctl embed -m ollama/bge-m3 --file lines.txt --output vectors.jsonl · "
        "llmctl embed -m gemini/gemini-embedding-2 --file docs.jsonl --column body"
        " --format npy --output docs.npy · "
        'llmctl embed -m openai/text-embedding-3-small --file notes.txt --similar "parking"'
    ),
)
def embed(
    text: Annotated[
        str | None, typer.Argument(help=_("one text; - for standard input"), show_default=False)
    ] = None,
    model: o.Model = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file",
            metavar="PATH|URL",
            help=_("a text a line, or rows: .jsonl, .csv, .tsv, .parquet, hf://datasets/…"),
        ),
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", metavar="NAME", help=_("where a row has its text"))
    ] = None,
    input_format: Annotated[
        str | None,
        typer.Option(
            "--input-format",
            metavar="jsonl|csv|tsv|parquet|text",
            help=_("where no ending says it"),
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help=_("the first N texts only"))
    ] = None,
    whole: Annotated[
        bool, typer.Option("-0", "--whole", help=_("standard input is one text, not a text a line"))
    ] = False,
    dimensions: Annotated[
        int | None,
        typer.Option("--dimensions", min=1, metavar="N", help=_("how long vectors are to be")),
    ] = None,
    purpose: Annotated[
        str | None,
        typer.Option(
            "--purpose", metavar="document|query", help=_("for models that tell them apart")
        ),
    ] = None,
    normalize: Annotated[
        bool, typer.Option("--normalize", help=_("make all vectors 1 long"))
    ] = False,
    similar: Annotated[
        str | None,
        typer.Option("--similar", metavar="TEXT", help=_("rank the texts by likeness to this one")),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", min=1, metavar="N", help=_("of --similar: how many to show"))
    ] = 10,
    concurrency: Annotated[
        int | None,
        typer.Option("-j", "--concurrency", min=1, metavar="N", help=_("requests at a time")),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=1, metavar="N", help=_("texts a request"))
    ] = None,
    format: Annotated[
        str | None,
        typer.Option("--format", metavar="jsonl|csv|f32|npy", help=_("of the vectors")),
    ] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help=_("put the texts beside their vectors"))
    ] = False,
    option: o.Options = None,
    usage: o.UsageReceipt = False,
    json: o.Json = False,
    output: o.Output = None,
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
    max_cost: o.MaxCost = None,
    allow_unknown_cost: o.AllowUnknownCost = False,
    tag: o.Tag = None,
    dry_run: o.DryRun = False,
    profile: o.Profile = None,
    no_stdin: o.NoStdin = False,
    no_input: o.NoInput = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Turn texts into vectors: one TEXT, a file, or standard input, a text a line.

    A line of JSON for each text, in order; with --similar a table of the likest.
    """
    given = dict(locals())
    from llmctl.cli.embed_asked import EmbedAsked
    from llmctl.cli.embedding import embedded

    embedded(EmbedAsked(**given))
