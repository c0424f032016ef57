"""The embedded model's file at its first use: asked for on a terminal, announced elsewhere."""

from pathlib import Path

from llmctl.engine.route import Route
from llmctl.messages import _
from llmctl.output.streams import err


def ready(route: Route, *, may_ask: bool, quiet: bool) -> Path:
    """The weights, pulled now if need be; raises NotFound where that is not allowed."""
    from llmctl.engine import weights
    from llmctl.output.progress import bar

    def ask(question: str) -> bool:
        err(f"{question} {_('[Y/n]')} ")
        return input().strip().lower() in ("", "y", "yes", "д", "да")

    def notice(text: str) -> None:
        if not quiet:
            err(text + "\n")

    return weights.ensure(
        route.model_card or weights.by_path(route.model),
        local_only=route.target.local_only,
        ask=ask if may_ask else None,
        notice=notice,
        progress=bar,
    )
