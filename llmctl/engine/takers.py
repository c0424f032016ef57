"""Models that take the files of a call that another one does not: a hint for people, with none that
would be refused in its turn."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.dialects import DIALECTS
from llmctl.dialects.media import files_of
from llmctl.engine.attaching import MOST, Taker, refuse_untaken
from llmctl.engine.kinds import kind_of
from llmctl.engine.nearest import Allowed, allowed_models
from llmctl.engine.reach import merged, stated
from llmctl.engine.vetting import really_sent
from llmctl.errors import LlmctlError, PrivacyRefused
from llmctl.messages import _
from llmctl.privacy.levels import HERE
from llmctl.privacy.screening import Screened, screen
from llmctl.settings import Policy, ProviderSettings
from llmctl.types import Chat, Count, Media, Part
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.engine.route import Route
    from llmctl.settings import Loaded


def who_takes(route: "Route", call: "Chat | Count", loaded: "Loaded", what: Collection[str]) -> str:
    """A hint with models that take such files (`what` they are, in words) and that policy allows:
    of the same provider, then those that run here, then those whose key is there; else servers that
    may have one; else why there is none."""
    kinds = ", ".join(sorted(what))
    if names := _named(_found(route, call, loaded, what)):
        return _("what takes {kinds}: {models}", kinds=kinds, models=names)
    if names := _named(_found(route, call, loaded, what, servers=True)):
        return _("a server whose model takes {kinds}: {models}", kinds=kinds, models=names)
    anyhow = replace(loaded, settings=replace(loaded.settings, policy=Policy()))
    if _found(route, call, anyhow, what):
        return _("policy allows no model that is known to take {kinds}", kinds=kinds)
    return _("no model of any card is known to take {kinds}", kinds=kinds)


def _named(found: list[Allowed]) -> str:
    return ", ".join(f"-m {one.provider}/{one.model}" for one in found[:MOST])


def _found(
    route: "Route",
    call: "Chat | Count",
    loaded: "Loaded",
    what: Collection[str],
    *,
    servers: bool = False,
) -> list[Allowed]:
    """A model of each card of which it is known that it takes the files, and the formats in `what`;
    with `servers` those that people run themselves, of whose models nothing is known."""
    formats = [one for one in what if "/" in one]

    def fits(card: "Card", model: "Model | None") -> bool:
        if servers != (model is None):
            return False
        if model is not None and not all(_states(card, one) for one in formats):
            return False
        return _takes(card, model, call, loaded)

    try:
        leaving, here = _screened(call, loaded)
        if here is None:
            return []
        sent = really_sent(route, leaving or here, loaded)
        found = allowed_models(loaded, sent, without="", fits=fits)
    except LlmctlError:  # advice is no reason to say less than what is wrong
        return []
    found.sort(
        key=lambda one: (one.provider != route.provider, one.level not in HERE, not one.is_there)
    )
    return [one for one in found if leaving is not None or one.level in HERE]


def _states(card: "Card", media_type: str) -> bool:
    return media_type in card.limits.media_types.get(kind_of(media_type) or "", ())


def _screened(call: "Chat | Count", loaded: "Loaded") -> tuple[Screened | None, Screened | None]:
    """The call as it may leave, and as it may go to hardware of the user's own; None for what
    policy forbids, such as files that cannot be searched."""

    def screened(*, is_local: bool) -> Screened | None:
        try:
            return screen(call, loaded, is_local=is_local)
        except PrivacyRefused:
            return None

    return screened(is_local=False), screened(is_local=True)


def _takes(card: "Card", model: "Model | None", call: "Chat | Count", loaded: "Loaded") -> bool:
    """Whether the files are known to be taken; of a server without an entry for its models, whether
    nothing speaks against it."""
    own = loaded.settings.providers.get(card.id, ProviderSettings())
    if model is not None and model.status == "retired":
        return False
    layers = () if model is None else (model.quirks,)
    try:
        quirks = replace(merged(card.quirks, *layers), settings=stated(card, own),
                         inline_bytes=card.limits.inline_bytes)  # fmt: skip
        taker = Taker(card=card, model=model, name=card.id, quirks=quirks,
                      dialect=DIALECTS[catalogue.dialect_of(card, model, own)]())  # fmt: skip
        is_known = taker.kinds and all(kind_of(one.media_type) for one in files_of(call))
        if model is not None and not is_known:
            return False
        refuse_untaken(taker, _hollow(call, model))
    except LlmctlError:
        return False
    return True


def _hollow(call: "Chat | Count", model: "Model | None") -> "Chat | Count":
    """The same question with files that are only named, so that no format makes base64 of them:
    there are many models to try."""

    def named(part: Part) -> Part:
        if not isinstance(part, Media) or part.data is None:
            return part
        return replace(part, data=None, path=part.name or "-", size=part.length)

    messages = tuple(replace(one, parts=tuple(map(named, one.parts))) for one in call.messages)
    return replace(call, model=call.model if model is None else model.id, messages=messages)
