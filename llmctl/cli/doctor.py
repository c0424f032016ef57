"""`llmctl doctor`: which layer keeps a provider from answering."""

from typing import TYPE_CHECKING, Annotated

import typer

from llmctl.cli.options import Verbose
from llmctl.messages import _

if TYPE_CHECKING:
    from pathlib import Path

    from llmctl.engine.diagnose import Check
    from llmctl.errors import LlmctlError
    from llmctl.settings import Loaded

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(
    epilog=_(
        "Examples: llmctl doctor · llmctl doctor openai · llmctl doctor ollama --live --json · "
        "llmctl doctor gigachat --fix"
    ),
)
def doctor(
    provider: Annotated[
        str | None, typer.Argument(help=_("the provider to look at"), show_default=False)
    ] = None,
    model: Annotated[
        str | None, typer.Option("-m", "--model", help=_("the model to ask with --live"))
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help=_("make up to ten small calls; their cost is said first"))
    ] = False,
    record: Annotated[
        str | None,
        typer.Option("--record", metavar="FILE", help=_("with --live: the traffic, without keys")),
    ] = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help=_("find and trust the authority of the provider's certificates")
        ),
    ] = False,
    ca: Annotated[
        str | None,
        typer.Option("--ca", metavar="FILE", help=_("with --fix: the authority's certificate")),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help=_("with --fix: without asking"))] = False,
    json: Annotated[bool, typer.Option("--json", help=_("one JSON document"))] = False,
    verbose: Verbose = False,  # noqa: ARG001  read where errors are reported
) -> None:
    """Name the layer that fails: settings, key, policy, proxy, DNS, TCP, TLS, auth, quota, model.

    Nothing is sent without --live. The exit code is that of the layer that fails.
    """
    from llmctl import settings
    from llmctl.engine.diagnose import offline
    from llmctl.errors import UsageError

    if record and not live:
        raise UsageError(
            _("--record keeps what --live sends and gets"), hint=_("add --live to the command")
        )
    if fix != bool(fix or ca or yes) or (fix and (provider is None or live or json)):
        raise UsageError(
            _("--fix goes with a provider, --ca and --yes, and nothing else"),
            hint=_("such as: llmctl doctor gigachat --fix --ca FILE"),
        )
    loaded = settings.load()
    if fix and provider is not None:
        from llmctl.cli.fix_ca import fix as fix_authority

        fix_authority(provider, ca, yes=yes, loaded=loaded)
        return
    if provider is None and model:
        provider = model.partition("/")[0]
    if provider is None:
        checks = list(everything(loaded))
    else:
        checks = list(offline(provider, loaded))
        if live and not any(one.error for one in checks):
            from llmctl.cli.live import prove

            checks += prove(provider, model, loaded, record)
    error = show(checks, as_json=json, provider=provider)
    if error is not None:
        raise error


def writable(folder: "Path") -> "Check":
    """Whether the folder of data takes a file, by making one."""
    from llmctl.engine.diagnose import Check, State
    from llmctl.errors import LlmctlError
    from llmctl.files import private_dir, write_private

    probe = folder / ".doctor"
    try:
        private_dir(folder)
        write_private(probe, bytes(4096))
        probe.unlink()
    except LlmctlError as error:
        return Check("data", State.FAILED, error.message, error)
    return Check("data", State.OK, str(folder))


def everything(loaded: "Loaded") -> "list[Check]":
    """Paths, and what there is to talk to."""
    from llmctl import settings
    from llmctl.engine.diagnose import Check, State
    from llmctl.engine.survey import survey

    paths = settings.paths()
    checks = [
        Check("settings", State.OK, str(paths.config)),
        writable(paths.data),
    ]
    checks += [
        Check(one.kind, State.OK, f"{one.name} ({one.detail})") for one in survey(loaded.settings)
    ]
    return checks


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
    marks = {"ok": "ok    ", "failed": "FAILED", "skipped": "-     ", "unknown": "?     "}
    for one in checks:
        out(safe_line(f"{marks[one.state.value]}  {one.layer:<13}{one.text}").rstrip() + "\n")
    return error
