"""From a host's name to the addresses to try, and from addresses to the first that connects."""

import asyncio
import errno
import ipaddress
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any, NamedTuple

from llmctl.transport.egress import names_this_machine

# How long an address may keep the next one waiting (RFC 8305, section 5).
STAGGER_SECONDS = 0.25
NO_WAY = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class Address(NamedTuple):
    """What `socket.connect` takes, with its family."""

    family: int
    place: tuple[Any, ...]


async def addresses(host: str, port: int) -> list[Address]:
    """The addresses of `host` in the order to try them; raises socket.gaierror.

    This machine's own name and literal addresses are known without asking anyone.
    """
    if names_this_machine(host):
        return [
            Address(socket.AF_INET, ("127.0.0.1", port)),
            Address(socket.AF_INET6, ("::1", port)),
        ]
    if ":" in host:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return _alternating(found)
    with suppress(ValueError):
        literal = ipaddress.IPv4Address(host.rstrip("."))  # with the dot it would be looked up
        return [Address(socket.AF_INET, (str(literal), port))]
    return _alternating(await _looked_up(host, port))


async def _looked_up(host: str, port: int) -> list[Any]:
    """getaddrinfo in a thread that nobody waits for: a name server that does not answer would
    keep a thread of the loop's own pool, and with it the whole program, far past any limit."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Any]] = loop.create_future()

    def settle(found: list[Any] | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    def ask() -> None:
        found: list[Any] | None = None
        failed: BaseException | None = None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except BaseException as error:
            failed = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found, failed)

    threading.Thread(target=ask, name="llmctl-names", daemon=True).start()
    return await answer


def _alternating(found: list[Any]) -> list[Address]:
    """The families in turn, starting with the system's favourite."""
    listed = [Address(family, place) for family, _kind, _protocol, _name, place in found]
    first = [one for one in listed if one.family == listed[0].family]
    other = [one for one in listed if one.family != listed[0].family]
    mixed = chain.from_iterable(zip_longest(first, other))
    return [one for one in mixed if one is not None]


async def connected(places: Sequence[Address]) -> socket.socket:
    """A socket to the first address that answers; a slow one does not hold up the next. Raises
    the OSError of the first address when none does."""
    if len(places) == 1:
        return await _socket_to(places[0])
    errors: list[OSError] = []
    running: set[asyncio.Task[socket.socket]] = set()
    waiting = iter(places)
    try:
        while True:
            following = next(waiting, None)
            if following is not None:
                running.add(asyncio.create_task(_socket_to(following)))
            elif not running:
                raise _most_telling(errors)
            done, running = await asyncio.wait(
                running,
                timeout=None if following is None else STAGGER_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                try:
                    winner = task.result()
                except OSError as error:
                    errors.append(error)
                else:
                    running |= done - {task}
                    return winner
    finally:
        for task in running:
            task.add_done_callback(_close_late)
            task.cancel()


def _most_telling(errors: list[OSError]) -> OSError:
    """A machine without IPv6 says so of every such address; what another one says is the cause."""
    return next((one for one in errors if one.errno not in NO_WAY), errors[0])


def _close_late(task: "asyncio.Task[socket.socket]") -> None:
    """A loser of the race that connected all the same."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _socket_to(address: Address) -> socket.socket:
    made = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, address.place)
    except BaseException:
        made.close()
        raise
    return made
