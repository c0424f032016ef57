"""`llmctl ask`, and the bare `llmctl "PROMPT"`: one prompt, one answer."""

from typing import Annotated

import typer

from llmctl.cli import options as o
from llmctl.messages import _

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    epilog=_(
        'Examples: llmctl "Why is the sky blue?" · '
        'git diff | llmctl "write the commit message" · '
        'llmctl -m ollama/qwen3 -s "Answer in Russian" "What is a monad?" · '
        "llmctl -t summarise < report.txt · "
        'llmctl --schema person.json "Invent a person" --json'
    ),
)
def ask(
    prompt: Annotated[str | None, typer.Argument(help=_("what to ask"), show_default=False)] = None,
    model: o.Model = None,
    system: o.System = None,
    option: o.Options = None,
    template: o.Template = None,
    param: o.Params = None,
    extract: o.Extract = False,
    continue_: o.Continue = False,
    cid: o.Conversation = None,
    usage: o.UsageReceipt = False,
    schema: o.Schema = None,
    repair: o.Repair = False,
    max_tokens: o.MaxTokens = None,
    temperature: o.Temperature = None,
    seed: o.Seed = None,
    stop: o.Stop = None,
    complete: o.Complete = False,
    fill_mask: o.FillMask = False,
    no_stream: o.NoStream = False,
    json: o.Json = False,
    events: o.Events = False,
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
    keep: o.Keep = False,
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
    """Send one prompt and print the answer as it comes.

    Standard input, when it is a pipe or a file, comes before the PROMPT.
    """
    given = dict(locals())
    from llmctl.cli.asked import Asked
    from llmctl.cli.one import answer

    answer(Asked(**given))
