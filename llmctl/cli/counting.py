"""A provider's own count of what would be asked: the prompt leaves for it, if all allows that it
leaves at all. The model inside this process counts in the same way, and nothing leaves."""

from typing import TYPE_CHECKING

from llmctl.cli.flags import Flags
from llmctl.messages import _
from llmctl.output.streams import err
from llmctl.output.terminal import safe_line
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cost.estimate import Counted
    from llmctl.engine.route import Route
    from llmctl.settings import Loaded
    from llmctl.types import Chat, Count, Receipt

# Tokens of context for a model that only counts: the least there is.
FEWEST = 256


def counted_there(name: str, call: "Chat", loaded: "Loaded", flags: Flags) -> "Counted":
    """Raises UsageError where there is no way to ask for a count, and all that sending raises."""
    from llmctl.cli.loop import run_async
    from llmctl.cli.one import keep
    from llmctl.cli.searched import length, while_searching
    from llmctl.engine.clearance import checked
    from llmctl.engine.counting import counted, counting_route
    from llmctl.engine.resolve import resolve

    route = resolve(name, loaded)
    counting_route(route)  # before anything is looked at: there may be no way to count
    call = replace(call, model=route.model)
    if route.card.kind == "embedded":
        return run_async(counted(_loaded(route, loaded, flags), call, loaded.settings, _forget))
    with while_searching(length(call), quiet=flags.quiet):
        screened, route = checked(route, call, loaded)
    for note in screened.notes:
        if note.insists or not flags.quiet:
            err(f"llmctl: {safe_line(note.text)}\n")

    def kept(receipt: "Receipt", count: "Count") -> None:
        keep(flags, loaded, replace(receipt, redactions=screened.redactions), count)

    return run_async(counted(route, screened.call, loaded.settings, kept))


def _loaded(route: "Route", loaded: "Loaded", flags: Flags) -> "Route":
    """The route to a model inside this process, loaded with as little as counting takes."""
    from llmctl.cli.one import with_weights
    from llmctl.output.terminal import detect

    route = with_weights(route, loaded, detect(), flags)
    options = {**route.target.options, "context": FEWEST, "lora": []}
    return replace(route, target=replace(route.target, options=options))


def _forget(_receipt: "Receipt", _count: "Count") -> None:
    """What has not left is not kept either."""


def counts_here(name: str, loaded: "Loaded") -> bool:
    """Whether the model is one of this process whose file need not be fetched first."""
    from llmctl.engine import weights
    from llmctl.engine.placed import placed

    place = placed(name, loaded)
    if place.card.kind != "embedded":
        return False
    return place.model_card is None or weights.present(place.model_card) is not None


def told(found: "Counted", *, calibrated: bool) -> str:
    """How many tokens, and how they were counted."""
    from llmctl.cost.estimate import Estimate
    from llmctl.output.estimates import method_text

    text = method_text(
        Estimate(
            input_tokens=found.tokens,
            input_least=found.least,
            input_most=found.most,
            method=found.method,
        ),
        calibrated=calibrated,
    )
    if not found.left_out:
        return text
    return f"{text}; {_('not counted: {kinds}', kinds=', '.join(found.left_out))}"
