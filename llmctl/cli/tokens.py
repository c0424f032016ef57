"""`llmctl tokens`: how many tokens a prompt has, as exactly as can be told."""

from typing import Annotated

import typer

from llmctl.cli import options as o
from llmctl.messages import _

app = typer.Typer(rich_markup_mode=None, add_completion=False)

Prompt = Annotated[
    str | None, typer.Argument(metavar="TEXT", help=_("the prompt; - reads standard input"))
]
Local = Annotated[
    bool, typer.Option("--local", help=_("send nothing: count here, or estimate where need be"))
]


@app.command(
    epilog=_(
        'Examples: llmctl tokens -m openai/gpt-6-luna "Why is the sky blue?" · '
        "llmctl tokens -m gemini/gemini-4-argon -a report.txt --json · "
        "git diff | llmctl tokens -m local/smollm2-135m · "
        "llmctl tokens -m anthropic/claude-sonnet-5 --local < letter.txt"
    )
)
def tokens(
    prompt: Prompt = None,
    model: o.Model = None,
    system: o.System = None,
    attachment: o.Attachments = None,
    attachment_type: o.AttachmentType = None,
    template: o.Template = None,
    param: o.Params = None,
    schema: o.Schema = None,
    option: o.Options = None,
    here: Local = False,
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
    tag: o.Tag = None,
    profile: o.Profile = None,
    no_stdin: o.NoStdin = False,
    no_input: o.NoInput = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    no_color: o.NoColor = False,
) -> None:
    """Count the tokens that a prompt takes, what stands around its messages included.

    The provider counts where it has a way to, which SENDS THE PROMPT as asking would; else it is
    counted or estimated here. The number goes to standard output, how it was found to stderr.
    """
    given = dict(locals())
    given.pop("here")
    from llmctl.cli.asked import Asked
    from llmctl.cli.token_count import count

    count(Asked(**given), local=here)
