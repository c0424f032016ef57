"""`llmctl compare`: the same prompt to several models, and what the answers prove."""

from typing import Annotated

import typer

from llmctl.cli import options as o
from llmctl.messages import _

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    epilog=_(
        'Examples: llmctl compare "Столица Австралии?" -m local/smollm2-135m -m gigachat/GigaChat-2'
        " --repeat 5 --check contains=Канберра --output report.html · "
        "llmctl compare --prompts cases.jsonl -m openai/gpt-6-luna --check equals=@expected"
        " --min-pass 95% --format junit · "
        'llmctl compare "Summarise" --prompts texts.csv --variant short --variant long'
        " -m yandexgpt/yandexgpt-5-lite --judge openai/gpt-6-luna · "
        'llmctl compare "Hello" -m openai/gpt-6-luna -m gemini/gemini-4-argon --prefer cheapest'
        ' --where "ttft<1" --dry-run · '
        "llmctl compare --list · llmctl compare --show ID --output report.html"
    ),
)
def compare(
    prompt: Annotated[
        str | None, typer.Argument(help=_("what to ask all of them"), show_default=False)
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("-m", "--model", metavar="MODEL", help=_("a model to compare, repeatable")),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            "--prompts",
            metavar="FILE",
            help=_("many prompts: JSONL, CSV, TSV, Parquet, text, hf://datasets/…, or -"),
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option("--column", metavar="NAME", help=_("where the prompts stand in the rows")),
    ] = None,
    expected: Annotated[
        str | None,
        typer.Option(
            "--expected",
            metavar="NAME",
            help=_("the column of right answers, which answers are to equal"),
        ),
    ] = None,
    input_format: Annotated[
        str | None,
        typer.Option(
            "--input-format", metavar="jsonl|csv|tsv|parquet|text", help=_("of the prompts")
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help=_("at most so many prompts"))
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            metavar="TEMPLATE",
            help=_("a way to put the prompt: a template, or a text with {{ input }}; repeatable"),
        ),
    ] = None,
    repeat: Annotated[
        int | None,
        typer.Option("--repeat", min=1, metavar="N", help=_("ask each as often; 1")),
    ] = None,
    warm_up: Annotated[
        int | None,
        typer.Option(
            "--warm-up",
            min=0,
            metavar="N",
            help=_("runs before those that count; 1 where a model is asked more than once"),
        ),
    ] = None,
    order_seed: Annotated[
        int | None,
        typer.Option("--order-seed", metavar="N", help=_("of the random order of runs; 0")),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "-j", "--concurrency", min=1, metavar="N", help=_("runs at a time a model; 1")
        ),
    ] = None,
    checks: Annotated[
        list[str] | None,
        typer.Option(
            "--check",
            metavar="CHECK",
            help=_("what an answer must be: contains=TEXT, regex=…, number=42±1 …; repeatable"),
        ),
    ] = None,
    min_pass: Annotated[
        str | None,
        typer.Option(
            "--min-pass", metavar="SHARE", help=_("exit 17 where fewer runs pass, such as 95%")
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option("--judge", metavar="MODEL", help=_("a model that says which is better")),
    ] = None,
    prefer: Annotated[
        str | None,
        typer.Option(
            "--prefer",
            metavar="cheapest|fastest|most-private|best",
            help=_("what to recommend by"),
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where", metavar="BOUNDS", help=_('what must hold: "cost<0.01 ttft<1 region=RU"')
        ),
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option(
            "--currency",
            metavar="USD",
            help=_("compare costs in this, at a dated rate, where models are charged in several"),
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="table|json|jsonl|csv|md|html|junit",
            help=_("of the result; by default what the name of --output ends in"),
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help=_("the comparisons that are kept"))] = False,
    show: Annotated[
        str | None, typer.Option("--show", metavar="ID", help=_("show one that is kept"))
    ] = None,
    rerun: Annotated[
        str | None,
        typer.Option("--rerun", metavar="ID", help=_("do it again, with other flags where given")),
    ] = None,
    system: o.System = None,
    option: o.Options = None,
    template: o.Template = None,
    param: o.Params = None,
    schema: o.Schema = None,
    max_tokens: o.MaxTokens = None,
    temperature: o.Temperature = None,
    seed: o.Seed = None,
    stop: o.Stop = None,
    no_stream: o.NoStream = False,
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
    attachment: o.Attachments = None,
    attachment_type: o.AttachmentType = None,
    fetch: o.Fetch = False,
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
    """Send the same prompts to several models, and show answers, quality, cost, times and privacy
    side by side, with a verdict only where there is evidence.

    Standard input, when it is a pipe or a file, comes before the PROMPT.
    """
    given = dict(locals())
    from llmctl.cli.compare_asked import CompareAsked
    from llmctl.cli.comparing import compared

    compared(CompareAsked(**given))
