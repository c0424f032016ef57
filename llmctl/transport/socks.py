"""The greeting of a SOCKS5 proxy; socksio does the framing."""

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
from llmctl.transport.dial import refused_credentials
from llmctl.transport.names import addresses
from llmctl.transport.proxy import Proxy
from llmctl.transport.wire import Wire


async def greet(wire: Wire, proxy: Proxy, host: str, port: int, provider: str) -> None:
    """Ask the proxy to connect us to `host`; the wire carries our bytes afterwards. The name is
    looked up here for socks5, by the proxy for socks5h."""
    talk = SOCKS5Connection()
    try:
        await _authenticated(wire, talk, proxy)
        if proxy.scheme == "socks5":
            host = (await addresses(host, port))[0].place[0]
        request = SOCKS5CommandRequest.from_address(SOCKS5Command.CONNECT, (host, port))
        wire.write(_said(talk, request))
        reply = _heard(talk, await _command_reply(wire))
    except socket.gaierror as error:
        raise trouble.no_address(error, host, provider) from None
    except TimeoutError:
        raise
    except (ProtocolError, OSError, EOFError, ValueError):
        raise trouble.proxy_trouble(proxy, _("it does not speak SOCKS5")) from None
    if reply.reply_code != SOCKS5ReplyCode.SUCCEEDED:
        why = reply.reply_code.name.replace("_", " ").lower()
        raise trouble.proxy_trouble(proxy, why)


async def _authenticated(wire: Wire, talk: SOCKS5Connection, proxy: Proxy) -> None:
    methods = [SOCKS5AuthMethod.NO_AUTH_REQUIRED]
    if proxy.user is not None:
        methods.append(SOCKS5AuthMethod.USERNAME_PASSWORD)
    wire.write(_said(talk, SOCKS5AuthMethodsRequest(methods)))
    answer = _heard(talk, await wire.read_exactly(2))
    if answer.method not in methods:
        raise refused_credentials(proxy)
    if answer.method == SOCKS5AuthMethod.USERNAME_PASSWORD:
        user, password = (proxy.user or "").encode(), (proxy.password or "").encode()
        wire.write(_said(talk, SOCKS5UsernamePasswordRequest(user, password)))
        if not _heard(talk, await wire.read_exactly(2)).success:
            raise refused_credentials(proxy)


def _said(talk: SOCKS5Connection, request: Any) -> bytes:
    talk.send(request)
    data: bytes = talk.data_to_send()
    return data


def _heard(talk: SOCKS5Connection, data: bytes) -> Any:
    """Which kind of answer it is follows from what was asked; socksio's types do not say."""
    return talk.receive_data(data)


async def _command_reply(wire: Wire) -> bytes:
    """Exactly the reply: what follows it belongs to the host behind the proxy."""
    head = await wire.read_exactly(5)
    length = {1: 4, 3: head[4] + 1, 4: 16}.get(head[3])
    if length is None:
        raise ValueError
    return head + await wire.read_exactly(length - 1 + 2)
