"""Where a provider is and how it is reached; plain values, so that no network library is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmctl.errors import ConfigError, ProviderFailed
from llmctl.messages import _
from llmctl.types import NOTHING, Json
from llmctl.values import dataclass, field

if TYPE_CHECKING:
    import httpx

EMBEDDED = "llama://"
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where one provider is and how it is reached. Times in seconds; `headers` hold the key and are
    never shown; `proxy` None leaves the choice to the environment, "none" goes direct. An address
    that begins with `llama://` is the model inside this process, what follows the path of its
    file. `timeout` bounds one attempt, `idle_timeout` the silence before and within its answer.
    `urls` are the provider's further addresses by name. `cert_file` and `key_file` are a client
    certificate for the host of `base_url`; `fixable` says that `llmctl doctor --fix` can find the
    authority of the provider's certificates."""

    provider: str
    base_url: str
    headers: Mapping[str, str] = field(default=NOTHING, repr=False)
    auth: httpx.Auth | None = field(default=None, repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    fixable: bool = False
    proxy: str | None = field(default=None, repr=False)
    local_only: bool = False
    connect_timeout: float = 10.0
    idle_timeout: float = 120.0
    timeout: float | None = None
    close_connection: bool = False
    options: Mapping[str, Json] = NOTHING
    urls: Mapping[str, str] = NOTHING

    @property
    def host(self) -> str:
        """Host and port as they stand in the address, for people."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2]

    @property
    def weights(self) -> str | None:
        """The path of the embedded model's file, None for everything else."""
        if self.base_url.startswith(EMBEDDED):
            return self.base_url.removeprefix(EMBEDDED)
        return None

    def url(self, path: str, base: str | None = None) -> str:
        """The whole address of a call, `base` naming one of `urls` in place of the base address.
        What stands behind `?` in the base address (an API version) goes behind the path; each `../`
        before the path leaves out the last step of the base address, down to its host.

        A path that is a whole address, which a server has named for what comes next, is taken as it
        stands, on the host of the base address alone: raises ProviderFailed for any other, to which
        neither key nor file may go."""
        if path.startswith(("http://", "https://")):
            return self._at_home(path, self.urls[base] if base else self.base_url)
        root = self.urls[base] if base else "llama://local" if self.weights else self.base_url
        root, _mark, common = root.partition("?")
        place, _mark, own = path.partition("?")
        while place.startswith("../"):
            place, above = place[3:], root.rstrip("/").rpartition("/")[0]
            root = root if above.endswith("/") else above
        if path.startswith("../") and not place:
            root = f"{root.rstrip('/')}/"
        url = f"{root.rstrip('/')}/{place.lstrip('/')}" if place else root
        query = "&".join(part for part in (common, own) if part)
        return f"{url}?{query}" if query else url

    def _at_home(self, address: str, root: str) -> str:
        try:
            there, here = (
                (one.scheme, one.hostname, one.port or PORTS.get(one.scheme), one.username)
                for one in map(urlsplit, (address, root))
            )
        except ValueError:
            there, here = (address, None, None, None), None
        if there == here:
            return address
        raise ProviderFailed(
            _("{host} sends us on to {goal}; llmctl follows no redirect with a key or a prompt",
              host=self.host, goal=address.partition("://")[2].partition("/")[0][:100] or "?"),
            hint=_("if that is right: llmctl config set providers.{provider}.base_url URL",
                   provider=self.provider),
            reason="redirect",
            retryable=False,
        )  # fmt: skip

    def check(self) -> None:
        """Raises ConfigError for an address that cannot be right; shows no password in it."""
        if self.weights:
            return
        key = f"providers.{self.provider}.base_url"
        try:
            parts = urlsplit(self.base_url)
            host, _port = parts.hostname, parts.port
        except ValueError:
            raise ConfigError(_("{key} is not an address", key=key), hint=_set(key)) from None
        if parts.username is not None or parts.password is not None:
            raise ConfigError(
                _("{key} holds a user or password; keys do not belong into addresses", key=key),
                hint=_("store the key: llmctl keys set {provider}", provider=self.provider),
            )
        if parts.scheme not in ("http", "https"):
            raise ConfigError(
                _("{key} must begin with http:// or https://", key=key), hint=_set(key)
            )
        if not host:
            raise ConfigError(_("{key} names no host", key=key), hint=_set(key))


def _set(key: str) -> str:
    return _("set it: llmctl config set {key} https://…", key=key)
