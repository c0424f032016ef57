"""Opens the wire to a host: direct, through an HTTP proxy or SOCKS, with TLS on top."""

import asyncio
import base64
import socket
from typing import TYPE_CHECKING

from llmctl.errors import NetworkFailed
from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.egress import refuse_distant, refuse_private
from llmctl.transport.names import addresses, connected
from llmctl.transport.proxy import Proxy
from llmctl.transport.wire import Wire
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from ssl import SSLContext

LONGEST_PROXY_HEAD = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialling:
    """How to reach hosts: certificates, proxy (as in `Target`), and whether other machines are out
    of bounds; `timeout` in seconds for all of it, `provider` for what errors say. The client
    certificate is shown to `cert_host` only, not to a proxy or where tokens come from.
    `public_only` puts this machine and private networks out of bounds, by the addresses that names
    really have; those behind a proxy are the proxy's to judge, but for literal ones."""

    provider: str
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    cert_host: str | None = None
    fixable: bool = False
    proxy: str | None = None
    local_only: bool = False
    public_only: bool = False
    timeout: float = 10.0


async def dial(scheme: str, host: str, port: int, proxy: Proxy | None, how: Dialling) -> Wire:
    """A wire to `host`, with TLS where the scheme is https.

    Raises NetworkFailed with the reason dns, connect, timeout, tls or proxy; PrivacyRefused where
    `local_only` forbids the host, before its name is looked up.
    """
    if how.local_only:
        refuse_distant(host)
        proxy = None
    if how.public_only:
        refuse_private(host)
    secure = scheme == "https"
    reached: list[Wire] = []
    try:
        async with asyncio.timeout(how.timeout):
            if proxy is None:
                return await _direct(secure, host, port, how, reached)
            return await _through(proxy, secure, host, port, how)
    except TimeoutError:
        if proxy is not None:
            raise trouble.proxy_trouble(proxy, _("it took too long")) from None
        if reached:
            raise trouble.silent_tls(host, port, how.timeout, how.provider) from None
        raise trouble.connect_timeout(host, port, how.timeout, how.provider) from None


async def _direct(
    secure: bool, host: str, port: int, how: Dialling, reached: list[Wire] | None = None
) -> Wire:
    """`reached` gets the wire as soon as it stands, whatever comes of TLS on it."""
    if secure:
        _certificates(host, how)  # a CA file that cannot be read is said before anything is sent
    try:
        places = await addresses(host, port)
    except (socket.gaierror, UnicodeError) as error:  # a label may be too long for DNS
        cause = error if isinstance(error, OSError) else OSError(str(error))
        raise trouble.no_address(cause, host, how.provider) from None
    if how.public_only:
        for one in places:
            refuse_private(host, str(one.place[0]))
    try:
        plain = await connected(places)
    except TimeoutError as error:
        if error.errno is None:  # ours; the system's own has a number
            raise
        raise trouble.no_connection(error, host, port, how.provider) from None
    except OSError as error:
        raise trouble.no_connection(error, host, port, how.provider) from None
    try:
        _transport, wire = await asyncio.get_running_loop().create_connection(Wire, sock=plain)
    except BaseException:
        plain.close()
        raise
    if reached is not None:
        reached.append(wire)
    if secure:
        await _secured(wire, host, how)
    return wire


def _certificates(host: str, how: Dialling) -> "SSLContext":
    from llmctl.transport.tls import ssl_context

    if how.cert_file and host == how.cert_host:
        return ssl_context(how.ca_file, how.cert_file, how.key_file)
    return ssl_context(how.ca_file)


async def _secured(wire: Wire, host: str, how: Dialling) -> None:
    try:
        await wire.secure(_certificates(host, how), host.rstrip("."))
    except BaseException as error:
        wire.close()
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            raise trouble.no_tls(error, host, how.provider, fixable=how.fixable) from None
        raise


async def _through(proxy: Proxy, secure: bool, host: str, port: int, how: Dialling) -> Wire:
    near = replace(how, public_only=False)  # a proxy usually stands in one's own network
    try:
        wire = await _direct(proxy.scheme == "https", proxy.host, proxy.port, near)
    except NetworkFailed as error:
        raise trouble.proxy_trouble(proxy, error.message, retryable=error.retryable) from None
    try:
        if proxy.is_socks:
            from llmctl.transport.socks import greet

            await greet(wire, proxy, host, port, how.provider)
        elif secure:
            await _tunnel(wire, proxy, host, port)
        if secure:
            await _secured(wire, host, how)
    except BaseException:
        wire.close()
        raise
    return wire


async def _tunnel(wire: Wire, proxy: Proxy, host: str, port: int) -> None:
    """Ask an HTTP proxy to connect us."""
    goal = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {goal} HTTP/1.1", f"Host: {goal}"]
    if credentials := proxy_credentials(proxy):
        lines.append(f"Proxy-Authorization: {credentials}")
    wire.write("\r\n".join([*lines, "", ""]).encode("ascii"))
    try:
        head = await wire.read_until(b"\r\n\r\n", LONGEST_PROXY_HEAD)
    except (EOFError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        raise trouble.proxy_trouble(proxy, _("it closed the connection")) from None
    first = head.split(b"\r\n", 1)[0].decode("latin-1")
    status = first.partition(" ")[2][:3]
    if status == "407":
        raise refused_credentials(proxy)
    if not status.startswith("2"):
        raise trouble.proxy_trouble(proxy, first[:100], retryable=status[:1] == "5")


def refused_credentials(proxy: Proxy) -> NetworkFailed:
    return trouble.proxy_trouble(proxy, _("it wants another user or password"), retryable=False)


def proxy_credentials(proxy: Proxy) -> str | None:
    """The value of Proxy-Authorization."""
    if proxy.user is None:
        return None
    pair = f"{proxy.user}:{proxy.password or ''}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
