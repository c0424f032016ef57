"""`--local-only`: nothing leaves this machine, look-ups of names included.

Two fences. `refuse_distant` is asked before a connection is made and explains itself. Behind it
`forbid_egress` watches the whole process with an audit hook, which sees every socket of every
library, and cannot be taken off again.
"""

import ipaddress
import sys
from typing import Any

from llmctl.errors import PrivacyRefused
from llmctl.messages import _

LOCAL_NAMES = frozenset({"localhost", "localhost.localdomain"})
_forbidden = False


def is_local(host: str) -> bool:
    """Whether `host` is this machine, by its spelling alone."""
    name = host.lower().strip("[]").rstrip(".")
    if name in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse_distant(host: str) -> None:
    """Raises PrivacyRefused unless `host` is this machine."""
    if not is_local(host):
        raise PrivacyRefused(
            _("--local-only forbids a connection to {host}", host=host),
            hint=_("ask a model that runs here: llmctl models list local"),
            host=host,
        )


def forbid_egress() -> None:
    """From now on no socket of this process reaches another machine, and no name is looked up."""
    global _forbidden
    if not _forbidden:
        _forbidden = True
        sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if isinstance(address, tuple):  # a path or None is a socket of this machine
            refuse_distant(str(address[0]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
        if host is not None:
            refuse_distant(host.decode() if isinstance(host, bytes) else str(host))
