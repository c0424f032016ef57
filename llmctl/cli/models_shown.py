"""`llmctl models show` of what no card tells: a model of a hub, or what a server says of one."""

from typing import TYPE_CHECKING

from llmctl.cli.live_models import SECONDS, row
from llmctl.cli.model_facts import fact_line
from llmctl.cli.models_search import gated_text, has_hub, served_row
from llmctl.cli.models_search import row as hub_row
from llmctl.messages import _
from llmctl.output.envelope import document
from llmctl.output.progress import size_text
from llmctl.output.streams import err, out
from llmctl.output.terminal import safe_line

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.dialects import Listed
    from llmctl.engine.hub_show import Shown
    from llmctl.settings import Loaded
    from llmctl.types import Json


def show_live(name: str, loaded: "Loaded", *, wanted: bool, json: bool) -> bool:
    """Ask for the model and print what is said, where that is `wanted`, or where no card describes
    it and there is a hub or a server of the user's to be asked; whether it was.

    Raises UsageError for a provider that cannot be asked, PrivacyRefused where policy forbids it,
    NotFound for a model that there is not, and whatever a request may raise.
    """
    from llmctl import catalogue
    from llmctl.cli.hub_names import split_of_hub
    from llmctl.engine.hub import PROVIDER
    from llmctl.engine.listing import refuse_to_ask
    from llmctl.engine.resolve import find_model

    provider, model = split_of_hub(name, loaded, f"{PROVIDER}/")
    card = catalogue.card(provider, loaded.settings)
    described = find_model(card, model)
    at_hand = has_hub(card) or card.kind not in ("api", "embedded")
    if not wanted and (described is not None or not at_hand):
        return False
    refuse_to_ask(card, loaded)
    if has_hub(card):
        show_of_hub(card, model.partition(":")[0], loaded, json=json)
    else:
        show_of_server(card, model, described, loaded, json=json)
    return True


def show_of_server(
    card: "Card", model: str, described: "Model | None", loaded: "Loaded", *, json: bool
) -> None:
    from llmctl.cli.loop import run_async
    from llmctl.cli.model_facts import print_facts
    from llmctl.engine.listing import described as asked_about

    said = run_async(asked_about(card, model, loaded.settings, timeout=SECONDS))
    if json:
        document({"version": 1, "live": True, "model": row(card, said)})
        return
    if described is not None:
        print_facts(card, described, settings=loaded.settings)
        out("\n" + _("By its provider's own word:") + "\n")
    else:
        out(safe_line(f"{card.id}/{model}") + "\n")
    for label, text in said_lines(said):
        fact_line(label, text)


def said_lines(said: "Listed") -> "list[tuple[str, str]]":
    """Labels and texts of what a provider says."""
    facts: list[tuple[str, object]] = [
        (_("name"), said.title),
        (_("context"), said.context),
        (_("longest"), said.output_limit),
        (_("parameters"), said.parameters),
        (_("quantisation"), said.quantisation),
        (_("family"), said.family),
        (_("licence"), said.licence),
        (_("size"), size_text(said.size) if said.size else None),
        (_("can"), ", ".join(said.capabilities)),
        (_("state"), said.lifecycle),
        (_("shut down"), said.retires),
        (_("price"), price_text(said)),
        (_("passed on to"), said.elsewhere),
    ]
    lines = [(label, str(value)) for label, value in facts if value not in (None, "")]
    return lines + [(_("served by"), served_text(one)) for one in said.offers]


def price_text(said: "Listed") -> str | None:
    if not said.currency:
        return None
    return _("{input} / {output} {currency} per million tokens", input=said.input or "?",
             output=said.output or "?", currency=said.currency)  # fmt: skip


def served_text(one: "Listed") -> str:
    """A partner with its prices and speeds."""
    words = [one.name.rpartition(":")[2], price_text(one)]
    if one.ttft_s is not None:
        words.append(_("first token after {seconds:.2g} s", seconds=one.ttft_s))
    if one.output_tokens_per_s is not None:
        words.append(_("{rate:.3g} tokens/s", rate=one.output_tokens_per_s))
    if one.context:
        words.append(_("context {count}", count=one.context))
    return ", ".join(filter(None, words))


# ---- of a hub


def show_of_hub(card: "Card", repo: str, loaded: "Loaded", *, json: bool) -> None:
    from llmctl.cli.loop import run_async
    from llmctl.engine.hub_show import shown

    model = run_async(shown(card, repo, loaded.settings))
    if json:
        document({"version": 1, "live": True, "model": hub_facts(card, model)})
    else:
        print_of_hub(card, model, loaded)
    if model.unpriced is not None:
        why = safe_line(model.unpriced.message)
        err(_("What they cost is not known: {why}", why=why) + "\n")


def hub_facts(card: "Card", model: "Shown") -> "dict[str, Json]":
    """A model of the hub for scripts; `quantisations` are its files in GGUF form."""
    from llmctl.engine.memory import needed

    found = hub_row(card, model.found)
    served = found.pop("served_by")
    return {
        **found,
        "base": model.base,
        "languages": list(model.languages),
        "library": model.library,
        "revision": model.revision,
        "files": model.files,
        "size": model.size,
        "weights_size": model.weights,
        "quantisations": [
            {"name": one.label, "size": one.size, "memory": needed(one.size),
             "files": [part.path for part in one.files]}
            for one in model.variants
        ],
        "served_by": served,
    }  # fmt: skip


def print_of_hub(card: "Card", model: "Shown", loaded: "Loaded") -> None:
    from llmctl.dialects.price_lists import counted
    from llmctl.engine.hub import endpoint
    from llmctl.privacy.standing import usual_level

    found = model.found
    page = f"{endpoint(loaded.settings)}/{found.id}"
    facts: list[tuple[str, object]] = [
        (_("task"), found.task),
        (_("licence"), found.licence),
        (_("gated"), gated_words(found.gated, page)),
        (_("parameters"), counted(found.parameters) if found.parameters else None),
        (_("context"), found.context),
        (_("made from"), model.base),
        (_("languages"), ", ".join(model.languages)),
        (_("library"), model.library),
        (_("files"), files_text(model)),
        (_("downloads"), found.downloads),
        (_("likes"), found.likes),
        (_("changed"), found.modified),
        (_("privacy"), usual_level(card, loaded.settings).value),
        (_("page"), page),
    ]
    out(safe_line(f"{card.id}/{found.id}") + "\n")
    for label, value in facts:
        fact_line(label, _("unknown") if value in (None, "") else str(value))
    for one in model.variants:
        fact_line(_("runs here as"), variant_text(found.id, one.label, one.size))
    if not found.served:
        fact_line(_("served by"), _("nobody of the router's partners"))
    for served in found.served:
        figures = served_row(card, found, served)
        text = served_text(served.figures) if served.figures else str(figures["partner"])
        fact_line(_("served by"), text)


def gated_words(gated: str | None, page: str) -> str | None:
    if gated == "no":
        return _("no")
    text = gated_text(gated)
    return _("{what} at {page}", what=text, page=page) if text else None


def files_text(model: "Shown") -> str | None:
    if model.files is None or model.size is None:
        return None
    text = _("{count}, {size}", count=model.files, size=size_text(model.size))
    if model.weights:
        text += " " + _("(weights {size})", size=size_text(model.weights))
    return text


def variant_text(repo: str, label: str, size: int) -> str:
    """A file in GGUF form, and the name by which it is pulled."""
    from llmctl.engine.memory import needed

    return _("local/{name}, {size}, about {memory} of memory", name=f"{repo}:{label}",
             size=size_text(size), memory=size_text(needed(size)))  # fmt: skip
