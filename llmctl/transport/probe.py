"""Whether something listens: a bare connection to a loopback address, nothing sent."""

import socket
from urllib.parse import urlsplit

from llmctl.transport.egress import is_local

PORTS = {"http": 80, "https": 443}


def is_loopback(base_url: str) -> bool:
    """Whether the URL's host is literally this machine; no name is looked up."""
    try:
        return is_local(urlsplit(base_url).hostname or "")
    except ValueError:  # no address at all
        return False


def listens(base_url: str, seconds: float = 0.2) -> bool:
    """Whether a loopback server accepts connections; False for every other host."""
    if not is_loopback(base_url):
        return False
    parts = urlsplit(base_url)
    try:
        port = parts.port or PORTS.get(parts.scheme, 80)
        with socket.create_connection((parts.hostname or "", port), timeout=seconds):
            return True
    except (OSError, ValueError):
        return False
