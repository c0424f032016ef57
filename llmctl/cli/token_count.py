"""What `llmctl tokens` does: the best count there is, under what may leave."""

from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.cli.asked import Asked
from llmctl.cli.counting import counted_there, counts_here, told
from llmctl.cost.tokens import count as counted_here
from llmctl.engine.placed import Place, placed
from llmctl.errors import AuthFailed, LlmctlError, PrivacyRefused, Stopped
from llmctl.messages import _
from llmctl.output.streams import err, out
from llmctl.output.terminal import detect, safe_line
from llmctl.types import Chat, Embed, Json
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.cost.estimate import Counted
    from llmctl.settings import Loaded


@dataclass(frozen=True, slots=True)
class Found:
    """`sent` says whether the prompt went to a provider, or to a server on this machine."""

    place: Place
    counted: "Counted"
    sent: bool

    def json(self) -> dict[str, Json]:
        one = self.counted
        return {
            "version": 1,
            "model": self.place.name,
            "provider": self.place.card.id,
            "tokens": one.tokens,
            "method": one.method,
            "low": one.least,
            "high": one.most if one.is_bounded else None,
            "not_counted": list(one.left_out),
            "sent": self.sent,
        }


def count(asked: Asked, *, local: bool) -> None:
    """Print the number and how it was found; raises what keeps it from being found."""
    try:
        found = _found(asked, local=local)
    except (LlmctlError, Stopped) as early:
        if asked.json:
            from llmctl.cli.refused import show_refused

            error = early.error if isinstance(early, Stopped) else early
            show_refused(error, json=True, events=False, model=asked.model)
        raise
    if asked.json:
        from llmctl.output.envelope import document

        document(found.json())
        return
    out(f"{found.counted.tokens}\n")
    if not asked.quiet:
        card = found.place.model_card
        known = card is not None and bool(card.tokenizer or card.tokenizer_like)
        err(f"llmctl: {safe_line(told(found.counted, calibrated=known))}\n")


def _found(asked: Asked, *, local: bool) -> Found:
    from llmctl.cli.default_model import choose
    from llmctl.cli.one import prepared, with_attached
    from llmctl.cli.stdin import joined

    asked.check()
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    encoding = loaded.settings.output.encoding
    attached = with_attached(asked, loaded)
    prompt = joined(
        asked.prompt,
        read=not asked.no_stdin and "-" not in (asked.attachment or ()),
        encoding=encoding,
        quiet=asked.quiet,
        example='llmctl tokens "Why is the sky blue?"',
    )
    call, _conversation = prepared(asked, prompt, loaded, attached)
    name = call.model or choose(loaded, detect(), may_ask=not asked.no_input)
    place = placed(name, loaded)
    call = replace(call, model=place.model)
    assert isinstance(call, Chat)  # noqa: S101  no flag of this command asks for anything else
    if (vectors := as_embed(call, place)) is not None:  # no provider counts for these
        return Found(place, counted_here(vectors, place.model_card, exact=True), sent=False)
    if counts_here(name, loaded):
        return Found(place, counted_there(name, call, loaded, asked), sent=False)
    if not local and place.card.count_dialect is not None and place.card.kind != "embedded":
        there = _counted_there(name, call, loaded, asked)
        if there is not None:
            return Found(place, there, sent=True)
    return Found(place, counted_here(call, place.model_card, exact=True), sent=False)


def as_embed(call: Chat, place: Place) -> Embed | None:
    """What of a prompt a model of vectors reads, which knows no roles; None for other models."""
    if place.model_card is None or place.model_card.kind != "embedding":
        return None
    return Embed(call.model, tuple(one.text for one in call.messages), options=call.options)


def _counted_there(name: str, call: Chat, loaded: "Loaded", asked: Asked) -> "Counted | None":
    """The provider's count; None, with a word about why, where the prompt may not or cannot go
    there."""
    try:
        return counted_there(name, call, loaded, asked)
    except (PrivacyRefused, AuthFailed) as refused:
        if isinstance(refused, AuthFailed) and refused.reason != "no-key":
            raise
        if not asked.quiet:
            said = _("not counted by the provider: {why}", why=refused.message)
            err(f"llmctl: {safe_line(said)}\n")
        return None
