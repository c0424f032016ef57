"""`llmctl cost`: what an answer will cost, and what answers have cost."""

from typing import Annotated

import typer

from llmctl.cli import budgets, cost_report, rates
from llmctl.cli.options import Attachments, AttachmentType, Encoding, Json
from llmctl.messages import _

app = typer.Typer(
    help=_("What an answer will cost, and what answers have cost."),
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

Prompt = Annotated[
    str | None, typer.Argument(metavar="PROMPT", help=_("the prompt; - reads standard input"))
]
Model = Annotated[
    str | None,
    typer.Option(
        "-m", "--model", metavar="MODEL", help=_("provider/model; the default if left out")
    ),
]
System = Annotated[str | None, typer.Option("-s", "--system", metavar="TEXT")]
InputTokens = Annotated[
    int | None,
    typer.Option("--input-tokens", metavar="N", min=0, help=_("in place of a prompt")),
]
OutputTokens = Annotated[
    int | None,
    typer.Option("--output-tokens", metavar="N", min=0, help=_("the length of the answer")),
]
CachedTokens = Annotated[
    int | None,
    typer.Option("--cached-tokens", metavar="N", min=0, help=_("of the input, read from a cache")),
]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", metavar="N", min=1, help=_("limit of the answer"))
]
Mode = Annotated[
    str | None, typer.Option("--mode", metavar="NAME", help=_("such as batch, flex or async"))
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="WHEN", help=_("a moment of UTC, such as 2026-12-01T00:00Z")),
]
Currency = Annotated[
    str | None,
    typer.Option("--currency", metavar="RUB", help=_("convert to this, at a dated rate")),
]
Option_ = Annotated[
    list[str] | None,
    typer.Option("-o", "--option", metavar="KEY=VALUE", help=_("a field of the request")),
]
Remote = Annotated[
    bool,
    typer.Option(
        "--remote",
        help=_("let the provider count the tokens; that SENDS THE PROMPT, policy allowing"),
    ),
]


@app.command(
    epilog=_(
        'Examples: llmctl cost estimate -m openai/gpt-6-luna "Why is the sky blue?" · '
        "git diff | llmctl cost estimate -m gemini/gemini-4-argon · "
        "llmctl cost estimate -m openai/gpt-6-luna --input-tokens 272001 --output-tokens 500 · "
        "llmctl cost estimate -m gemini/gemini-4-argon --input-tokens 1000 --output-tokens 1000 "
        "--at 2026-12-01T00:00Z --json"
    )
)
def estimate(
    prompt: Prompt = None,
    model: Model = None,
    system: System = None,
    attachment: Attachments = None,
    attachment_type: AttachmentType = None,
    input_tokens: InputTokens = None,
    output_tokens: OutputTokens = None,
    cached_tokens: CachedTokens = None,
    max_tokens: MaxTokens = None,
    mode: Mode = None,
    at: At = None,
    currency: Currency = None,
    option: Option_ = None,
    remote: Remote = False,
    encoding: Encoding = None,
    json: Json = False,
) -> None:
    """Tell what a prompt would cost. Without --remote nothing is sent and no key is needed."""
    from llmctl.cli.estimating import Question, estimated_for, show
    from llmctl.output.envelope import document

    asked = Question(
        prompt=prompt,
        model=model,
        system=system,
        attachment=attachment,
        attachment_type=attachment_type,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=cached_tokens,
        max_tokens=max_tokens,
        mode=mode,
        at=at,
        currency=currency,
        option=option,
        remote=remote,
        encoding=encoding,
    )
    found = estimated_for(asked)
    if json:
        document(found.json())
    else:
        show(found)


app.command("report", epilog=cost_report.EPILOG)(cost_report.report)
app.command("budgets", epilog=budgets.EPILOG)(budgets.budgets)
app.add_typer(rates.app, name="rates")
