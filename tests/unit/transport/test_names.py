"""Which addresses a host has, in which order they are tried, and that a slow one holds up none."""

import asyncio
import errno
import socket
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from llmctl.transport import names
from llmctl.transport.names import Address, addresses, connected

V4, V6 = socket.AF_INET, socket.AF_INET6


@pytest.fixture
def no_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what needs nobody's answer."""
    real = socket.getaddrinfo

    def numeric(host: str, port: int, **how: int) -> object:
        assert how.get("flags", 0) & socket.AI_NUMERICHOST, f"{host} was looked up"
        return real(host, port, **how)

    monkeypatch.setattr(socket, "getaddrinfo", numeric)


@pytest.mark.usefixtures("no_lookup")
@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", [Address(V4, ("127.0.0.1", 80))]),
        ("127.0.0.1.", [Address(V4, ("127.0.0.1", 80))]),
        ("192.0.2.7", [Address(V4, ("192.0.2.7", 80))]),
        ("::1", [Address(V6, ("::1", 80, 0, 0))]),
        ("2001:db8::5", [Address(V6, ("2001:db8::5", 80, 0, 0))]),
        ("localhost", [Address(V4, ("127.0.0.1", 80)), Address(V6, ("::1", 80))]),
        ("LocalHost.", [Address(V4, ("127.0.0.1", 80)), Address(V6, ("::1", 80))]),
        ("model.localhost", [Address(V4, ("127.0.0.1", 80)), Address(V6, ("::1", 80))]),
    ],
)
def test_what_needs_no_look_up_gets_none(host: str, expected: list[Address]) -> None:
    assert asyncio.run(addresses(host, 80)) == expected


@pytest.mark.parametrize("host", ["1.2.3.999", "1.2.3", "notlocalhost", "localhost.example.test"])
def test_what_only_looks_like_it_is_looked_up(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_asked: object, **_how: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)

    with pytest.raises(socket.gaierror):
        asyncio.run(addresses(host, 80))


def test_families_take_turns_beginning_with_the_systems_favourite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    six = [("2001:db8::1", 443, 0, 0), ("2001:db8::2", 443, 0, 0), ("2001:db8::3", 443, 0, 0)]
    four = [("192.0.2.1", 443)]
    found = [(V6, 1, 6, "", place) for place in six] + [(V4, 1, 6, "", place) for place in four]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_asked, **_how: found)

    listed = asyncio.run(addresses("api.example.test", 443))

    assert [one.place for one in listed] == [six[0], four[0], six[1], six[2]]
    assert [one.family for one in listed] == [V6, V4, V6, V6]


def test_a_name_server_that_hangs_holds_up_neither_us_nor_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = threading.Event()

    def hang(*_asked: object, **_how: object) -> list[object]:
        answer.wait(10)
        return [(V4, 1, 6, "", ("192.0.2.1", 80))]

    async def give_up() -> None:
        async with asyncio.timeout(0.03):
            await addresses("api.example.test", 80)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    ended = time.monotonic() - begun
    answer.set()  # it comes after the loop has gone, and harms nobody
    for thread in threading.enumerate():
        if thread.name == "llmctl-names":
            thread.join(5)

    assert ended < 5


def test_an_answer_that_nobody_waits_for_any_more_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = threading.Event()
    complaints: list[object] = []

    def hang(*_asked: object, **_how: object) -> list[object]:
        answer.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "late")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, what: complaints.append(what)
        )
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(addresses("api.example.test", 80), 0.02)
        answer.set()
        for thread in threading.enumerate():
            if thread.name == "llmctl-names":
                await asyncio.to_thread(thread.join, 5)
        await asyncio.sleep(0)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    asyncio.run(main())

    assert complaints == []


# ------------------------------------------------------------------------------ the race to connect

Way = Callable[[], Awaitable[socket.socket]]


class Race:
    """Stands in for the network: each address does as its script says."""

    def __init__(self, **ways: Way) -> None:
        self.ways = ways
        self.begun: dict[str, float] = {}
        self.cancelled: list[str] = []

    async def socket_to(self, address: Address) -> socket.socket:
        name = address.place[0]
        self.begun[name] = time.monotonic()
        try:
            return await self.ways[name]()
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise

    async def run(self) -> socket.socket:
        return await connected([Address(V4, (name, 80)) for name in self.ways])


async def connects() -> socket.socket:
    return socket.socket()


async def hangs() -> socket.socket:
    await asyncio.sleep(30)
    raise AssertionError


def fails(number: int) -> Way:
    async def way() -> socket.socket:
        raise OSError(number, "no")

    return way


@pytest.fixture
def raced(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Race]:
    def make(**ways: Way) -> Race:
        race = Race(**ways)
        monkeypatch.setattr(names, "_socket_to", race.socket_to)
        return race

    return make


def test_an_address_that_hangs_gives_the_next_a_chance_after_a_while(
    raced: Callable[..., Race], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "STAGGER_SECONDS", 0.03)
    race = raced(slow=hangs, fast=connects, never=connects)

    asyncio.run(race.run()).close()

    assert list(race.begun) == ["slow", "fast"]
    assert race.begun["fast"] - race.begun["slow"] >= 0.029
    assert race.cancelled == ["slow"]


def test_an_address_that_fails_is_followed_at_once(
    raced: Callable[..., Race], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "STAGGER_SECONDS", 20.0)
    race = raced(refused=fails(errno.ECONNREFUSED), good=connects)

    asyncio.run(race.run()).close()

    assert race.begun["good"] - race.begun["refused"] < 5


def test_the_stagger_is_what_the_rfc_recommends() -> None:
    assert names.STAGGER_SECONDS == 0.25  # RFC 8305, section 8: 250 milliseconds


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([errno.ECONNREFUSED, errno.ETIMEDOUT], errno.ECONNREFUSED),
        ([errno.ENETUNREACH, errno.ECONNREFUSED], errno.ECONNREFUSED),
        ([errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT], errno.EADDRNOTAVAIL),
    ],
)
def test_when_none_connects_the_most_telling_error_is_raised(
    numbers: list[int], expected: int, raced: Callable[..., Race]
) -> None:
    race = raced(**{f"a{place}": fails(number) for place, number in enumerate(numbers)})

    with pytest.raises(OSError) as caught:  # noqa: PT011  its number is what is checked
        asyncio.run(race.run())

    assert caught.value.errno == expected
    assert len(race.begun) == len(numbers)


def test_a_loser_that_connects_all_the_same_is_closed(
    raced: Callable[..., Race], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "STAGGER_SECONDS", 0.0)
    made: list[socket.socket] = []

    async def main() -> socket.socket:
        both = asyncio.Event()

        async def own() -> socket.socket:
            mine = socket.socket()
            made.append(mine)
            if len(made) == 2:
                both.set()
            await both.wait()
            return mine

        winner = await raced(first=own, second=own).run()
        await asyncio.sleep(0.01)
        return winner

    winner = asyncio.run(main())

    assert len(made) == 2
    assert winner.fileno() != -1
    assert [one.fileno() for one in made if one is not winner] == [-1]
    winner.close()


def test_cancelled_the_race_leaves_nothing_open(
    raced: Callable[..., Race], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "STAGGER_SECONDS", 0.0)
    race = raced(one=hangs, other=hangs)

    async def main() -> None:
        async with asyncio.timeout(0.03):
            await race.run()

    with pytest.raises(TimeoutError):
        asyncio.run(main())

    assert sorted(race.cancelled) == ["one", "other"]


def test_a_real_port_answers_behind_one_that_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        places = [Address(V4, one.getsockname()) for one in (taken, listening)]

        with asyncio.run(connected(places)) as found:
            assert found.getpeername() == listening.getsockname()

        with pytest.raises(ConnectionRefusedError):
            asyncio.run(connected(places[:1]))
