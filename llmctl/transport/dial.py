"""Opens the byte stream to a host: direct, through an HTTP proxy or SOCKS, with TLS on top."""

import asyncio
import base64
from typing import NamedTuple

from llmctl.errors import NetworkFailed
from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.egress import refuse_distant
from llmctl.transport.proxy import Proxy
from llmctl.values import dataclass

HAPPY_EYEBALLS_SECONDS = 0.25


class Stream(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialling:
    """How to reach hosts: certificates, proxy, and whether other machines are out of bounds."""

    ca_file: str | None = None
    proxy: Proxy | None = None
    local_only: bool = False
    timeout: float = 10.0


async def dial(scheme: str, host: str, port: int, how: Dialling) -> Stream:
    """A stream to `host`, with TLS where the scheme is https.

    Raises NetworkFailed with the reason dns, connect, timeout, tls or proxy; PrivacyRefused where
    `local_only` forbids the host, before its name is looked up.
    """
    if how.local_only:
        refuse_distant(how.proxy.host if how.proxy else host)
        refuse_distant(host)
    try:
        async with asyncio.timeout(how.timeout):
            if how.proxy is None:
                return await _direct(scheme == "https", host, port, how.ca_file)
            return await _through(how.proxy, scheme == "https", host, port, how.ca_file)
    except TimeoutError:
        raise trouble.connect_timeout(host, port) from None


async def _direct(secure: bool, host: str, port: int, ca_file: str | None) -> Stream:
    context = None
    if secure:
        from llmctl.transport.tls import ssl_context

        context = ssl_context(ca_file)
    try:
        # Racing the addresses of a name matters only where there is a name.
        race = None if host[:1].isdigit() or ":" in host else HAPPY_EYEBALLS_SECONDS
        reader, writer = await asyncio.open_connection(
            host, port, ssl=context, happy_eyeballs_delay=race
        )
    except TimeoutError:
        raise
    except OSError as error:
        raise trouble.connect_trouble(error, host, port) from None
    return Stream(reader, writer)


async def _through(proxy: Proxy, secure: bool, host: str, port: int, ca_file: str | None) -> Stream:
    try:
        stream = await _direct(proxy.scheme == "https", proxy.host, proxy.port, ca_file)
    except NetworkFailed as error:
        raise trouble.proxy_trouble(proxy, error.message) from None
    try:
        if proxy.is_socks:
            from llmctl.transport.socks import greet

            await greet(stream, proxy, host, port)
        elif secure:
            await _tunnel(stream, proxy, host, port)
        if secure:
            await _secure(stream, host, ca_file)
    except BaseException:
        stream.writer.transport.abort()
        raise
    return stream


async def _secure(stream: Stream, host: str, ca_file: str | None) -> None:
    from llmctl.transport.tls import ssl_context

    try:
        await stream.writer.start_tls(ssl_context(ca_file), server_hostname=host)
    except TimeoutError:
        raise
    except OSError as error:
        raise trouble.connect_trouble(error, host, 443) from None


async def _tunnel(stream: Stream, proxy: Proxy, host: str, port: int) -> None:
    """Ask an HTTP proxy to connect us."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if credentials := proxy_credentials(proxy):
        lines.append(f"Proxy-Authorization: {credentials}")
    stream.writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
    try:
        head = await stream.reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        raise trouble.proxy_trouble(proxy, _("it closed the connection")) from None
    first = head.split(b"\r\n", 1)[0].decode("latin-1")
    status = first.split(" ")[1] if first.count(" ") else ""
    if status == "407":
        raise trouble.proxy_trouble(proxy, _("it wants another user or password"))
    if not status.startswith("2"):
        raise trouble.proxy_trouble(proxy, first[:100])


def proxy_credentials(proxy: Proxy) -> str | None:
    """The value of Proxy-Authorization."""
    if proxy.user is None:
        return None
    pair = f"{proxy.user}:{proxy.password or ''}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
