"""`llmctl models list --search`: a hub's models by words, task and licence, with who serves them at
what price; names on a card or in a provider's list by words."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llmctl.messages import _
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.cards import Card
    from llmctl.dialects import Listed
    from llmctl.engine.hub_search import Found, Served
    from llmctl.settings import Loaded
    from llmctl.types import Json

LIMIT = 20
MOST_PARTNERS = 3  # of a line; the JSON has all


def has_hub(card: "Card") -> bool:
    """Whether there is a hub to the provider, whose models are far more than it serves."""
    from llmctl.engine.hub import URL

    return URL in card.endpoint.urls


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which models of a list are wanted; None for what was not said."""

    text: str | None = None
    task: str | None = None
    licence: str | None = None
    sort: str | None = None
    limit: int | None = None
    gguf: bool = False

    @property
    def of_hub(self) -> bool:
        """Whether it says what only a hub can look for."""
        return bool(self.task or self.licence or self.sort or self.gguf)

    def check(self) -> None:
        """Raises UsageError for what is no search."""
        from llmctl.engine.hub_search import SORTS, TASK
        from llmctl.errors import UsageError

        if self.text is not None and not self.text.strip():
            raise UsageError(_("--search wants a word"), hint=_("such as: --search qwen"))
        if self.sort is not None and self.sort not in SORTS:
            raise UsageError(
                _("nothing can be sorted by {sort}", sort=self.sort),
                hint=_("one of: {names}", names=", ".join(SORTS)),
            )
        if self.task is not None and not TASK.fullmatch(self.task):
            raise UsageError(
                _("{task} is no task", task=self.task),
                hint=_("such as: --task text-generation, feature-extraction, text-to-image,"
                       " fill-mask"),
            )  # fmt: skip

    def hub(self, provider: str | None, loaded: "Loaded") -> "Card | None":
        """The card of the provider where its hub is to be searched, None where a list is meant."""
        from llmctl import catalogue

        if provider is None or not (self.text or self.of_hub):
            return None
        card = catalogue.card(provider, loaded.settings)
        return card if has_hub(card) else None

    def refuse_of_hub(self) -> None:
        """Raises UsageError for what only a hub can look for."""
        from llmctl.errors import UsageError

        if self.of_hub:
            raise UsageError(
                _("--task, --licence, --sort and --gguf are for searching a hub"),
                hint=_("such as: llmctl models list huggingface --task text-to-image"),
            )

    def matches(self, *names: str | None) -> bool:
        """Whether every word of the search stands in one of the names."""
        held = " ".join(filter(None, names)).lower()
        return all(word in held for word in (self.text or "").lower().split())

    def cards(self, cards: "Sequence[Card]") -> "list[Card]":
        """The cards with those models only that are wanted."""
        if self.text is None and self.limit is None:
            return list(cards)
        left = self.limit
        found = []
        for card in cards:
            models = [
                one
                for one in card.models
                if self.matches(f"{card.id}/{one.id}", one.name, one.family)
            ][:left]
            left = None if left is None else left - len(models)
            if models:
                found.append(replace(card, models=tuple(models)))
        return found

    def listed(self, models: "Iterable[Listed]") -> "list[Listed]":
        """Of a provider's own list those that are wanted."""
        return [one for one in models if self.matches(one.name, one.title)][: self.limit]


def search_hub(card: "Card", narrowed: Narrowed, loaded: "Loaded", *, json: bool) -> None:
    """Search and print. Raises PrivacyRefused where policy forbids it: the words go to the hub."""
    from llmctl.cli.loop import run_async
    from llmctl.engine.hub_search import Wanted, search
    from llmctl.engine.listing import refuse_to_ask
    from llmctl.output.envelope import document
    from llmctl.output.streams import err
    from llmctl.output.terminal import safe_line

    refuse_to_ask(card, loaded)
    wanted = Wanted(
        text=narrowed.text.strip() if narrowed.text else None,
        task=narrowed.task,
        licence=narrowed.licence,
        gguf=narrowed.gguf,
        sort=narrowed.sort,
        limit=narrowed.limit or LIMIT,
    )
    found = run_async(search(card, wanted, loaded.settings))
    if json:
        rows = [row(card, one) for one in found.models]
        document({"version": 1, "search": wanted.text, "models": rows})
    elif found.models:
        print_found(card, found.models)
    else:
        err(_("The hub has no such model.") + "\n")
    if found.unpriced is not None:
        why = safe_line(found.unpriced.message)
        err(_("What they cost is not known: {why}", why=why) + "\n")


def row(card: "Card", found: "Found") -> "dict[str, Json]":
    """A model of the hub for scripts. `served_by` are those who answer now, prices decimal strings
    for `unit` tokens."""
    return {
        "provider": card.id,
        "id": found.id,
        "task": found.task,
        "licence": found.licence,
        "parameters": found.parameters,
        "context": found.context,
        "downloads": found.downloads,
        "likes": found.likes,
        "gated": found.gated,
        "private": found.private,
        "gguf": found.gguf,
        "created": found.created,
        "modified": found.modified,
        "served_by": [served_row(card, found, one) for one in found.served],
    }


def served_row(card: "Card", found: "Found", served: "Served") -> "dict[str, Json]":
    from llmctl.cli.live_models import figures
    from llmctl.dialects import Listed

    priced = served.figures or Listed(name="")
    return {
        "model": f"{card.id}/{found.id}:{served.partner}",
        "partner": served.partner,
        "task": served.task,
        **{name: value for name, value in figures(priced).items() if name in PRICES},
    }


PRICES = ("input", "output", "currency", "unit", "context", "ttft_s", "output_tokens_per_s")


def print_found(card: "Card", models: "Sequence[Found]") -> None:
    from llmctl.dialects.price_lists import counted
    from llmctl.output.table import table

    headers = [_("model"), _("task"), _("licence"), _("parameters"), _("downloads"), _("gated"),
               _("served by")]  # fmt: skip
    rows = [
        [
            f"{card.id}/{one.id}",
            one.task,
            one.licence,
            counted(one.parameters) if one.parameters else None,
            one.downloads,
            gated_text(one.gated),
            served_text(one.served),
        ]
        for one in models
    ]
    table(headers, rows, right={3, 4})


def gated_text(gated: str | None) -> str | None:
    return {"no": _("no"), "auto": _("accept terms"), "manual": _("ask its makers")}.get(
        gated or ""
    )


def served_text(served: "Sequence[Served]") -> str:
    """The partners in a few words, the cheapest first: `together 0.1/0.4 USD 0.6 s; groq`."""
    ordered = sorted(served, key=_cost)
    words = [_partner(one) for one in ordered[:MOST_PARTNERS]]
    if more := len(ordered) - MOST_PARTNERS:
        words += [_("{count} more", count=more)] if more > 0 else []
    return "; ".join(words)


def _cost(one: "Served") -> tuple[bool, float, str]:
    figures = one.figures
    known = figures is not None and figures.output is not None
    return not known, float(figures.output or 0) if figures else 0.0, one.partner


def _partner(one: "Served") -> str:
    figures = one.figures
    if figures is None:
        return one.partner
    words = [one.partner]
    if figures.currency:
        words.append(f"{figures.input or '?'}/{figures.output or '?'} {figures.currency}")
    if figures.ttft_s is not None:
        words.append(_("{seconds:.2g} s", seconds=figures.ttft_s))
    return " ".join(words)
