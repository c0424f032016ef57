"""Which proxy a request goes through: the provider's own, else the environment's."""

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from llmctl.errors import ConfigError
from llmctl.messages import _
from llmctl.transport.egress import is_local
from llmctl.values import dataclass, field

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True, slots=True)
class Proxy:
    """`scheme` is http, https, socks5 (names looked up here) or socks5h (looked up there)."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_socks(self) -> bool:
        return self.scheme.startswith("socks")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def proxy_for(
    url: str, chosen: str | None = None, environ: Mapping[str, str] = os.environ
) -> Proxy | None:
    """The proxy for `url`, None to go direct. `chosen` is the setting: a URL or "none".

    This machine's own addresses always go direct: what is said to stay here must not pass through
    another machine. So do addresses of the link, where clouds tell a machine its own tokens.
    Without a setting no_proxy is asked, then https_proxy or http_proxy and all_proxy, in either
    case of letters. Raises ConfigError for a value that is no proxy, naming the variable and never
    the password.
    """
    parts = urlsplit(url)
    if is_local(parts.hostname or "") or _on_the_link(parts.hostname or ""):
        return None
    if chosen := (chosen or "").strip():
        return None if chosen.lower() == "none" else parse_proxy(chosen, "proxy")
    if bypassed(parts, _value(environ, "no_proxy")[1]):
        return None
    for wanted in (f"{parts.scheme}_proxy", "all_proxy"):
        name, value = _value(environ, wanted)
        if value:
            return parse_proxy(value, name)
    return None


def _on_the_link(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


def _value(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """The lower-case name first, as curl has it."""
    for spelt in (name, name.upper()):
        if value := environ.get(spelt, "").strip():
            return spelt, value
    return name, ""


def parse_proxy(text: str, source: str) -> Proxy:
    """A proxy URL; a bare host and port is an http proxy, `socks://` is socks5h."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        scheme = {"socks": "socks5h"}.get(parts.scheme.lower(), parts.scheme.lower())
        if scheme not in PORTS or not parts.hostname:
            raise ValueError
        if "@" in f"{parts.path}{parts.query}{parts.fragment}":
            raise ValueError  # a password with / ? # in it: its start would pass as host and port
        return Proxy(
            scheme,
            parts.hostname.encode("idna").decode("ascii"),
            parts.port or PORTS[scheme],
            unquote(parts.username) if parts.username is not None else None,
            unquote(parts.password) if parts.password is not None else None,
        )
    except ValueError:
        raise ConfigError(
            _("the value of {source} is not the address of a proxy", source=source),
            hint=_("forms: http://host:port, https://…, socks5://…, socks5h://…; or none"),
        ) from None


def bypassed(parts: SplitResult, rules: str) -> bool:
    """Whether no_proxy names the host: `*`, a name (with all under it), `.suffix`, an address, a
    range of addresses, each also with `:port`."""
    host = (parts.hostname or "").lower().rstrip(".")
    port = parts.port or PORTS.get(parts.scheme)
    return any(_fits(rule, host, port) for rule in rules.lower().replace(",", " ").split() if rule)


def _fits(rule: str, host: str, port: int | None) -> bool:
    name, colon, number = rule.rpartition(":")
    if colon and number.isdecimal() and (":" not in name or name.endswith("]")):
        if port != int(number):
            return False
        rule = name
    if rule == "*" or _in_range(host, rule.strip("[]")):
        return True
    name = rule.removeprefix("*").lstrip(".").strip("[]").rstrip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _in_range(host: str, rule: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False
