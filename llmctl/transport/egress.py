"""`--local-only`: nothing leaves this machine, look-ups of names included.

Two fences. `refuse_distant` is asked before a connection is made and explains itself. Behind it
`forbid_egress` watches the whole process with an audit hook, which sees the sockets and look-ups
of every library, and which Python has no way to take off again.
"""

import ipaddress
import sys
from contextlib import suppress
from typing import Any

from llmctl.errors import PrivacyRefused
from llmctl.messages import _

LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain"})
_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_ASKING = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_watching = False
_forbidden = False


def is_local(host: str) -> bool:
    """Whether `host` is this machine, by its spelling alone."""
    name = host.lower().strip("[]").rstrip(".")
    if names_this_machine(name):
        return True
    try:
        # Knows the zones of IPv6; behind an IPv4 address `%` would be part of somebody's name.
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


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


def is_private(host: str) -> bool:
    """Whether a host is this machine or one of a private network, by its spelling alone."""
    spelt = host.strip("[]")
    if is_local(spelt):
        return True
    with suppress(ValueError):
        found = ipaddress.ip_address(spelt)
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return not (mapped or found).is_global
    return False


def refuse_private(host: str, address: str | None = None) -> None:
    """Raises PrivacyRefused for a host that is this machine or one of a private network, by its
    spelling, or by an `address` that its name has."""
    if is_private(address or host):
        raise PrivacyRefused(
            _("{host} is in a private network, and it was a public address that led there",
              host=host),
            hint=_("if it is yours and you mean it, name it yourself"),
            host=host,
            reason="private-address",
        )  # fmt: skip


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
