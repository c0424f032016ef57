"""What one `llmctl image` was asked for, and which models draw."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.cli.flags import Flags, request_fields
from llmctl.dialects import DIALECTS, OWN_FIELDS
from llmctl.dialects.pictures import EXTENSIONS, size_of
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.picture_files import TYPE_OF, refuse_stream
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.engine.placed import Place
    from llmctl.settings import Loaded

# The number of pictures, as formats call it.
COUNTS = frozenset({"n", "candidateCount", "candidate_count", "num_images_per_prompt"})
MOST_NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnAsked(Flags):
    """Field by field the options of `image`; None and False mean not given."""

    prompt: str | None = None
    size: str | None = None
    count: int = 1
    seed: int | None = None
    format: str | None = None
    force: bool = False
    usage: bool = False
    no_stdin: bool = False

    def check(self) -> None:
        Flags.check(self)
        refuse_stream(self.output)
        if self.size is not None and not self.size.strip(" ,"):
            raise UsageError(
                _("--size is empty"), hint=_("such as 1024x1024, 16:9 or 2K, or leave it out")
            )
        size_of(self.size)
        if self.format is not None and self.format.lower() not in TYPE_OF:
            raise UsageError(
                _("--format does not know {format}", format=self.format),
                hint=_("it is one of: {choices}",
                       choices=", ".join(one[-1] for one in EXTENSIONS.values())),
            )  # fmt: skip
        from llmctl.cost.asked import flat

        options = request_fields(self.option)
        if count := next((name for name, _value in flat(options) if name in COUNTS), None):
            raise UsageError(
                _("{name} is no option here: how many pictures there are to be says --count",
                  name=count)
            )  # fmt: skip
        if own := next((name for name in options if name in OWN_FIELDS), None):
            raise UsageError(
                _("{name} is no option: it is what the call itself says", name=own),
                hint=_("the model is given with -m, the prompt as an argument"),
            )

    @property
    def media_type(self) -> str | None:
        return None if self.format is None else TYPE_OF[self.format.lower()]


def refuse_blind(place: "Place", loaded: "Loaded") -> None:
    """Raises UsageError, with models that draw, for one of which it is known that it does not; a
    model that no card lists may."""
    model = place.model_card
    way = DIALECTS[place.spoken]().drawing()
    if place.card.kind == "embedded" or way is None:
        said = _("{provider} draws no pictures", provider=place.card.id)
    elif model is None or draws(model) or (way.by_chat and model.kind == "chat"):
        return
    else:
        said = _("{model} draws no pictures", model=place.name)
    raise UsageError(said, hint=drawing_hint(loaded, place.card))


def no_model(loaded: "Loaded") -> UsageError:
    """The error where nothing says which model is to draw."""
    return UsageError(_("which model is to draw?"), hint=drawing_hint(loaded))


def draws(model: "Model") -> bool:
    return model.kind == "image" or "image" in model.outputs


def drawing_hint(loaded: "Loaded", first: "Card | None" = None) -> str:
    """Some models that draw, those of the `first` card before others, one of each."""
    names = [] if first is None else [*_drawing(first)]
    for provider in catalogue.provider_ids(loaded.settings):
        own = loaded.settings.providers.get(provider)
        if (first is None or provider != first.id) and not (own and own.extends):
            names += [*_drawing(catalogue.card(provider, loaded.settings))][:1]
    named = ", ".join(f"-m {name}" for name in names[:MOST_NAMED])
    return _("what does: {names}", names=named)


def _drawing(card: "Card") -> Iterator[str]:
    for model in card.models:
        if draws(model) and model.status in ("current", "preview"):
            yield f"{card.id}/{model.id}"
