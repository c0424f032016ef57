"""`--local-only`: nothing leaves this machine, look-ups of names included.

Two fences. `refuse_distant` is asked before a connection is made and explains itself. Behind it
`forbid_egress` watches the whole process with an audit hook, which sees the sockets and look-ups
of every library, and which Python has no way to take off again.
"""

import ipaddress
import re
import socket
import sys
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from llmctl.errors import PrivacyRefused
from llmctl.messages import _

LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain"})
# What names of one's own network end with: RFC 6762 (with its appendix G), RFC 8375, and
# `internal`, which ICANN has set aside. No public name server knows any of them.
OWN_DOMAINS = (
    ".local", ".lan", ".home", ".corp", ".private", ".intranet", ".internal", ".home.arpa",
)  # fmt: skip
# Nobody outside finds these either (RFC 6761), but they are not said to be of one's own network.
_UNKNOWN_OUTSIDE = (".test", ".localdomain")
_NUMBERS = re.compile(r"[0-9a-fx.]+")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_ASKING = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_watching = False
_forbidden = False


def is_local(host: str) -> bool:
    """Whether `host` is this machine, by its spelling alone."""
    address = literal(host)
    return names_this_machine(host) if address is None else address.is_loopback


def literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that `host` is itself, None for a name. One of IPv4 inside one of IPv6
    (`::ffff:10.0.0.1`) is what is reached."""
    with suppress(ValueError):
        # Knows the zones of IPv6; behind an IPv4 address `%` would be part of somebody's name.
        found = ipaddress.ip_address(host.lower().strip("[]").rstrip("."))
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return mapped or found
    return None


def names_this_machine(host: str) -> bool:
    """Whether `host` is a name, not an address, that means this machine (RFC 6761, section 6.3):
    it is never looked up, since a name server may say otherwise."""
    name = host.lower().rstrip(".")
    return name in LOCAL_NAMES or name.endswith(".localhost")


def refuse_distant(host: str) -> None:
    """Raises PrivacyRefused unless `host` is this machine."""
    if not is_local(host):
        raise PrivacyRefused(
            _("--local-only forbids a connection to {host}", host=host),
            hint=_("ask a model that runs here: llmctl models list local"),
            host=host,
        )


def names_own_network(host: str) -> bool:
    """Whether `host` is a name that is known in one's own network alone."""
    return f".{host.lower().rstrip('.')}".endswith(OWN_DOMAINS)


def is_private(host: str) -> bool:
    """Whether a host is this machine or one of a private network, by its spelling alone. In doubt
    it is, other than for `is_local` and privacy levels, which trust: what may be read as an address
    is one, and a name without a dot is one of the domain that this machine is in."""
    spelt = _plain(host)
    address = literal(spelt) or _numbered(spelt)
    if address is None:
        known = names_this_machine(spelt) or names_own_network(spelt)
        return known or "." not in spelt or f".{spelt}".endswith(_UNKNOWN_OUTSIDE)
    if isinstance(address, ipaddress.IPv6Address):
        address = address.sixtofour or _behind_nat64(address) or address
    return not address.is_global


def _plain(host: str) -> str:
    """A host without escapes, a last dot, and the dots and digits of other scripts."""
    spelt = unquote(host).lower().rstrip(".")
    with suppress(UnicodeError):
        return spelt if spelt.isascii() else spelt.encode("idna").decode("ascii").rstrip(".")
    return spelt


def _numbered(host: str) -> ipaddress.IPv4Address | None:
    """What resolvers of most systems, but not of all, read as an address of IPv4: `127.1`,
    `0x7f.1`, `0177.0.0.1`, `2130706433`."""
    if _NUMBERS.fullmatch(host):  # some inet_aton bear with what follows a blank
        with suppress(OSError):
            return ipaddress.IPv4Address(socket.inet_aton(host))
    return None


def _behind_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a gateway reaches for one of RFC 6052."""
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


def refuse_private(host: str, address: str | None = None) -> None:
    """Raises PrivacyRefused for the host of a redirect that is this machine or one of a private
    network, by its spelling, or by an `address` that its name has."""
    if is_private(address or host):
        raise PrivacyRefused(
            _("a redirect leads to {host}, which is in a private network", host=host),
            hint=_("if it is yours and you mean it, name it yourself"),
            host=host,
            reason="private-address",
        )


def forbid_egress() -> None:
    """From now on no socket of this process reaches another machine, and no name is looked up."""
    global _watching, _forbidden
    _forbidden = True
    if not _watching:
        _watching = True
        sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not event.startswith("socket.") or not _forbidden:
        return
    if event in _CONNECTING:
        _check_address(arguments[1])
    elif event in _ASKING:
        host = arguments[0]
        if host is not None:
            refuse_distant(host.decode("latin-1") if isinstance(host, bytes) else str(host))
    elif event == "socket.getnameinfo":
        _check_address(arguments[0])


def _check_address(address: object) -> None:
    """A path or None is a socket of this machine."""
    if isinstance(address, tuple):
        refuse_distant(str(address[0]))
