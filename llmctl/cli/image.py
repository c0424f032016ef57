"""`llmctl image PROMPT`: pictures drawn from words, each in a file."""

from typing import Annotated

import typer

from llmctl.cli import options as o
from llmctl.messages import _

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    epilog=_(
        'Examples: llmctl image "a red fox in the snow" -m openai/gpt-image-2.5-flare · '
        'llmctl image "рыжая лиса" -m yandexgpt/yandex-art --size 16:9 --output fox.jpg · '
        'llmctl image "a logo" -m gemini/gemini-3-pro-image --count 4 --output logos/ · '
        'llmctl image "a map" -m openai/gpt-image-2.5-flare -o quality=high --max-cost "0.20 USD"'
        " --allow-unknown-cost"
    ),
)
def image(
    prompt: Annotated[
        str | None, typer.Argument(help=_("what to draw"), show_default=False)
    ] = None,
    model: o.Model = None,
    size: Annotated[
        str | None,
        typer.Option(
            "--size", metavar="SIZE", help=_("1024x1024, 16:9 or 2K, as the model takes it")
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", min=1, metavar="N", help=_("how many pictures"))
    ] = 1,
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="N", help=_("same seed, same picture, where honoured")),
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", metavar="png|jpeg|webp", help=_("type of the files"))
    ] = None,
    option: o.Options = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            metavar="FILE|DIR",
            help=_("where the files go; without it here, under a name made of the prompt"),
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help=_("replace the file that --output names"))
    ] = False,
    usage: o.UsageReceipt = False,
    json: o.Json = False,
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
    """Draw a picture and print the path of its file, a line for each.

    Standard input, when it is a pipe or a file, comes before the PROMPT. No file is overwritten:
    a name that is taken gets a number.
    """
    given = dict(locals())
    from llmctl.cli.drawing import draw
    from llmctl.cli.drawn_asked import DrawnAsked

    draw(DrawnAsked(**given))
