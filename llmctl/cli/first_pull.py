"""The embedded model's file at its first use: asked for on a terminal, announced elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.cli.loop import run_async
from llmctl.engine import weights
from llmctl.engine.route import Route
from llmctl.errors import NotFound
from llmctl.messages import _
from llmctl.output.streams import err
from llmctl.output.terminal import safe_line

if TYPE_CHECKING:
    from llmctl.cards import Model
    from llmctl.settings import Loaded, Settings


# What is fetched where nobody can be asked; the default model is below it.
MOST_UNASKED = 200_000_000


def ready(route: Route, loaded: "Loaded", *, may_ask: bool, quiet: bool) -> Path:
    """The weights, pulled now if need be; raises NotFound where that is not allowed."""
    notice = noticing(quiet)
    model = route.model_card
    if model is None:
        return weights.by_path(route.model, route.card)
    if path := weights.ready(model, notice):
        return path
    if weights.is_bundled(model):
        from llmctl.transport.embedder import missing

        raise missing()
    allowed(model, route, loaded, may_ask=may_ask, notice=notice)
    return fetched(model, loaded.settings, quiet=quiet)


def noticing(quiet: bool) -> weights.Notice:
    def notice(text: str) -> None:
        if not quiet:
            err(safe_line(text) + "\n")  # a server may have written it

    return notice


def allowed(
    model: "Model", route: Route, loaded: "Loaded", *, may_ask: bool, notice: weights.Notice
) -> None:
    """Raises NotFound unless the file may and can be fetched now."""
    from importlib.util import find_spec

    from llmctl.engine.pull import about
    from llmctl.transport.llama_model import missing

    if find_spec("xllamacpp") is None:
        raise missing()  # before 98 MB are fetched for nothing
    name = f"{route.provider}/{model.id}"
    if route.target.local_only:
        place = loaded.origin("policy.max_level")
        error = not_here(name, _("and policy lets nothing leave this machine ({place})",
                                 place=place))  # fmt: skip
        if place.kind != "flag":  # of which `models pull` knows nothing
            error.hint = _("bring the file here, then: llmctl models pull {name} --from FILE",
                           name=name)  # fmt: skip
        raise error
    size = model.weights.size if model.weights else None
    if not may_ask and (size is None or size > MOST_UNASKED):
        raise not_here(name, _("and is too large to be fetched unasked"))
    if not may_ask:
        notice(_("Fetching the model, once. {about}", about=about(model)))
        return
    err(_("The model is not here yet. {about}", about=about(model)) + "\n")
    err(_("Fetch it now?") + " " + _("[Y/n]") + " ")
    try:
        typed = input().strip().lower()
    except EOFError:
        typed = "n"
    if typed not in ("", "y", "yes", "д", "да"):
        raise not_here(name, _("and was not fetched"))


def not_here(name: str, why: str) -> NotFound:
    return NotFound(
        _("the model {name} is not here, {why}", name=name, why=why),
        hint=_("fetch it: llmctl models pull {name}", name=name),
        reason="weights",
    )


def fetched(
    model: "Model", settings: "Settings", *, source: Path | None = None, quiet: bool
) -> Path:
    """Pull a model with a bar on stderr; where it is now."""
    from functools import partial

    from llmctl.engine.pull import Pull, pull
    from llmctl.output.progress import bar

    order = Pull(
        model=model,
        settings=settings,
        notice=noticing(quiet),
        progress=partial(bar, quiet=quiet),
        source=source,
    )
    return run_async(pull(order))
