"""The greeting of a SOCKS5 proxy; socksio does the framing."""

import asyncio
import ipaddress
import socket
from typing import Any

from socksio import (
    ProtocolError,
    SOCKS5AuthMethod,
    SOCKS5AuthMethodsRequest,
    SOCKS5Command,
    SOCKS5CommandRequest,
    SOCKS5Connection,
    SOCKS5ReplyCode,
    SOCKS5UsernamePasswordRequest,
)

from llmctl.messages import _
from llmctl.transport import trouble
from llmctl.transport.dial import Stream
from llmctl.transport.proxy import Proxy

# The longest answer: version, reply, reserved, type, a name of 255 letters with its length, port.
LONGEST_REPLY = 262


async def greet(stream: Stream, proxy: Proxy, host: str, port: int) -> None:
    """Ask the proxy to connect us to `host`; the stream carries our bytes afterwards."""
    talk = SOCKS5Connection()
    methods = [SOCKS5AuthMethod.NO_AUTH_REQUIRED]
    if proxy.user is not None:
        methods = [SOCKS5AuthMethod.USERNAME_PASSWORD]
    try:
        answer = await _say(stream, talk, SOCKS5AuthMethodsRequest(methods))
        if answer.method not in methods:
            raise trouble.proxy_trouble(proxy, _("it wants another user or password"))
        if proxy.user is not None:
            pair = SOCKS5UsernamePasswordRequest(
                proxy.user.encode(), (proxy.password or "").encode()
            )
            if not (await _say(stream, talk, pair)).success:
                raise trouble.proxy_trouble(proxy, _("it wants another user or password"))
        if proxy.scheme == "socks5":
            host = await _looked_up(host, port)
        request = SOCKS5CommandRequest.from_address(SOCKS5Command.CONNECT, (host, port))
        reply = await _say(stream, talk, request)
    except (ProtocolError, OSError, EOFError):
        raise trouble.proxy_trouble(proxy, _("it does not speak SOCKS5")) from None
    if reply.reply_code != SOCKS5ReplyCode.SUCCEEDED:
        why = reply.reply_code.name.replace("_", " ").lower()
        raise trouble.proxy_trouble(proxy, why)


async def _say(stream: Stream, talk: SOCKS5Connection, request: Any) -> Any:
    talk.send(request)
    stream.writer.write(talk.data_to_send())
    data = await stream.reader.read(LONGEST_REPLY)
    if not data:
        raise EOFError
    return talk.receive_data(data)


async def _looked_up(host: str, port: int) -> str:
    """The address of `host`, for a proxy that is to be given addresses only."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise trouble.connect_trouble(error, host, port) from None
    return str(found[0][4][0])
