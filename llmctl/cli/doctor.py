"""`llmctl doctor`: which layer keeps a provider from answering."""

from typing import TYPE_CHECKING, Annotated

import typer

from llmctl.cli.options import Verbose
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.engine.diagnose import Check
    from llmctl.errors import LlmctlError
    from llmctl.settings import Loaded

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    epilog=_("Examples: llmctl doctor · llmctl doctor openai · llmctl doctor ollama --live --json"),
)
def doctor(
    provider: Annotated[
        str | None, typer.Argument(help=_("the provider to look at"), show_default=False)
    ] = None,
    model: Annotated[
        str | None, typer.Option("-m", "--model", help=_("the model to ask with --live"))
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help=_("send one tiny request; its price is stated first"))
    ] = False,
    json: Annotated[bool, typer.Option("--json", help=_("one JSON document"))] = False,
    verbose: Verbose = False,  # noqa: ARG001  read where errors are reported
) -> None:
    """Name the layer that fails: settings, key, policy, proxy, DNS, TCP, TLS, auth, quota, model.

    Nothing is sent without --live. The exit code is that of the layer that fails.
    """
    from llmctl import settings
    from llmctl.engine.diagnose import offline

    loaded = settings.load()
    if provider is None and model:
        provider = model.partition("/")[0]
    if provider is None:
        checks = list(everything(loaded))
    else:
        checks = list(offline(provider, loaded))
        if live and not any(one.error for one in checks):
            checks += wire(provider, model, loaded)
    error = show(checks, as_json=json, provider=provider)
    if error is not None:
        raise error


def everything(loaded: "Loaded") -> "list[Check]":
    """Paths, and what there is to talk to."""
    from llmctl import settings
    from llmctl.engine.diagnose import Check, State
    from llmctl.engine.survey import survey

    paths = settings.paths()
    checks = [
        Check("settings", State.OK, str(paths.config)),
        Check("data", State.OK, str(paths.data)),
    ]
    checks += [
        Check(one.kind, State.OK, f"{one.name} ({one.detail})") for one in survey(loaded.settings)
    ]
    return checks


def wire(provider: str, model: str | None, loaded: "Loaded") -> "list[Check]":
    """One real request of a few tokens, and the layers it proves or breaks on."""
    from llmctl import catalogue
    from llmctl.cli.live import ask_once
    from llmctl.engine.diagnose import wire_checks
    from llmctl.engine.resolve import resolve
    from llmctl.errors import UsageError
    from llmctl.output.streams import err

    card = catalogue.card(provider, loaded.settings)
    name = model or (f"{provider}/{card.default_model}" if card.default_model else None)
    if name is None:
        raise UsageError(
            _("which model of {provider} shall answer?", provider=provider),
            hint=_("name it: llmctl doctor {provider} --live -m {provider}/MODEL",
                   provider=provider),
        )  # fmt: skip
    route = resolve(name, loaded)
    err(price_text(route.card.kind == "api", name) + "\n")
    error, answered = ask_once(route, loaded)
    return list(wire_checks(error, answered))


def price_text(paid: bool, name: str) -> str:
    if paid:
        return _(
            "Sending one request of about 10 tokens to {name}, at most 16 back: billed by the"
            " provider at its price.",
            name=name,
        )
    return _("Sending one request to {name}: free, it runs on your own hardware.", name=name)


def show(checks: "list[Check]", *, as_json: bool, provider: str | None) -> "LlmctlError | None":
    """Print the checks; the first error among them."""
    from llmctl.output.envelope import document
    from llmctl.output.streams import out
    from llmctl.output.terminal import safe_line

    error = next((one.error for one in checks if one.error), None)
    if as_json:
        rows = [{"layer": one.layer, "state": one.state.value, "text": one.text} for one in checks]
        document(
            {
                "version": 1,
                "provider": provider,
                "failed": next((one.layer for one in checks if one.error), None),
                "checks": rows,
            }
        )
        return error
    marks = {"ok": "ok    ", "failed": "FAILED", "skipped": "-     "}
    for one in checks:
        out(safe_line(f"{marks[one.state.value]}  {one.layer:<13}{one.text}").rstrip() + "\n")
    return error
