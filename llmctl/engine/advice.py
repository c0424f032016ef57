"""What to type next after an error that names nothing by itself."""

from collections.abc import Sequence

from llmctl import catalogue
from llmctl.cards import Card
from llmctl.errors import AuthFailed, LlmctlError, NotFound, ProviderFailed, RateLimited, Rejected
from llmctl.messages import _
from llmctl.settings import Settings

MINUTE, HOUR = 60.0, 3600.0


def advice(error: LlmctlError, *, has_key: bool, others: Sequence[str] = ()) -> str | None:
    """The hint for an error of a provider, None where there is nothing better than its message.
    `has_key` says whether the request carried a key, `others` are providers of other countries."""
    provider = error.provider or ""
    match error:
        case _ if error.retryable and error.retry_after_s is not None:
            return _(
                "the server asks to wait {wait}; try again then, or ask another model with -m",
                wait=spelt(error.retry_after_s),
            )
        case AuthFailed(reason="region"):
            return _(
                "it refuses the country you ask from: set a proxy (llmctl config set"
                " providers.{provider}.proxy URL), or ask a model on this machine (llmctl models"
                " list local) or a provider of another country: {names}",
                provider=provider,
                names=", ".join(others) or "llmctl providers list",
            )
        case AuthFailed(reason="folder"):
            return _("ask in the key's own: llmctl config set providers.{provider}.folder {folder}",
                     provider=provider, folder=error.details.get("folder", "ID"))  # fmt: skip
        case AuthFailed(status=401) if not has_key:
            return _("it wants a key: llmctl keys set {provider}", provider=provider)
        case AuthFailed(status=400 | 401):  # by 400 only where its code names the key
            return _("store the right key: llmctl keys set {provider}", provider=provider)
        case NotFound():
            return _("see what there is: llmctl models list {provider} --live", provider=provider)
        case AuthFailed():
            return _("see what there is: llmctl models list {provider}", provider=provider)
        case RateLimited(reason="quota"):
            return _("see the account's limits at the provider, or ask another model with -m")
        case RateLimited():
            return _("try again later, or ask another model with -m")
        case Rejected(reason="context"):
            return _("shorten the prompt, or ask a model with more context with -m")
        case ProviderFailed(reason="loading"):
            return _("wait longer for it: llmctl config set network.max_wait 600")
        case ProviderFailed(status=int()):
            return _("try again later, or ask another model with -m")
        case ProviderFailed(reason="no-answer" | "empty" | "not-json"):
            return _(
                "is this the address? llmctl config get providers.{provider}.base_url",
                provider=provider,
            )
        case _:
            return None


def spelt(seconds: float) -> str:
    """A time to wait, as exact as somebody who waits wants it."""
    if seconds < 2 * MINUTE:
        return _("{seconds:.3g} s", seconds=seconds)
    if seconds < 2 * HOUR:
        return _("{minutes:.0f} min", minutes=seconds / MINUTE)
    return _("{hours:.0f} h", hours=seconds / HOUR)


def abroad(card: Card) -> list[str]:
    """The providers of other countries than the card's, each with its country."""
    shipped = Settings()
    cards = (catalogue.card(one, shipped) for one in catalogue.provider_ids(shipped))
    return [
        f"{one.id} ({one.country})" for one in cards if one.country and one.country != card.country
    ]
