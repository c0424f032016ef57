"""Keys of another provider, told by their first letters before they are sent anywhere."""

import json

from llmctl import catalogue, resources
from llmctl.cards import Card
from llmctl.errors import AuthFailed
from llmctl.keys.secret import Secret
from llmctl.messages import _
from llmctl.settings import ProviderSettings


def refuse_foreign(card: Card, own: ProviderSettings, base_url: str, secret: Secret) -> None:
    """Raises AuthFailed for a key that begins as only another provider's keys do.

    A gateway may take anybody's keys: an address that is not one of the provider's own is not
    looked at, nor a card of the user's that says nothing of its keys.
    """
    if card.kind != "api" or not catalogue.is_own_host(card, base_url):
        return
    ours = card.auth.key_prefixes
    if not ours and catalogue.is_users(own.extends or card.id):
        return
    key = secret.reveal()
    if any(key.startswith(prefix) for prefix in ours):
        return
    if owner := _owner(key):
        raise AuthFailed(
            _("the key for {provider} from {source} looks like one of {owner}; it was not sent",
              provider=card.id, source=secret.source, owner=owner),
            hint=_("store the right one: llmctl keys set {provider}; or ask that provider:"
                   " -m {owner}/MODEL", provider=card.id, owner=owner),
            provider=card.id,
            reason="foreign-key",
        )  # fmt: skip


def _owner(key: str) -> str | None:
    """The provider whose keys begin like this one. What shipped cards say of that is collected in
    one file, since a run reads no card but its own."""
    known = json.loads((resources.config() / "key-prefixes.json").read_text("utf-8"))
    found = (prefix for prefix in known if key.startswith(prefix))
    longest = max(found, key=len, default=None)
    return None if longest is None else known[longest]
