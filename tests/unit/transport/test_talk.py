"""What is read without h11 is read as h11 reads it, and refused where h11 refuses it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import h11
import pytest

from llmctl.transport.plain import LONGEST_HEAD, plain_head, plain_start
from llmctl.transport.talk import Nonsense, Question, Talk, Unsayable

FIELDS = [(b"Host", b"a.test"), (b"User-Agent", b"llmctl")]
BODY = b'{"a":1}'
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# What servers send, and what none should.
ANSWERS = [
    OK + b"Content-Length: 2\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nConnection: x, close\r\n\r\n{}",
    OK + b"Content-Length: 0\r\n\r\n",
    OK + b"content-length:2\r\nX:\r\nY: \t a b \t\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nX: \xd0\x96\xff\r\n\r\n{}",
    b"HTTP/1.1 429 \r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 500\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.0 200 OK\r\n\r\n{}",
    OK + b"\r\n{}",
    # Two lengths, two ways of saying where the body ends: how answers are smuggled.
    OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nContent-Length: 1\r\n\r\n{}",
    OK + b"Content-Length: 2, 2\r\n\r\n{}",
    OK + b"Content-Length: +2\r\n\r\n{}",
    OK + b"Content-Length: -2\r\n\r\n{}",
    OK + b"Content-Length: 0x2\r\n\r\n{}",
    OK + b"Content-Length: \r\n\r\n{}",
    OK + b"Content-Length: \xb2\r\n\r\n{}",
    OK + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: identity\r\n\r\n{}",
    OK + b"Transfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    # Lines that are none.
    OK + b"Content-Length: 2\r\nX: a\r\n b\r\n\r\n{}",
    OK + b"X: a\r\n\tContent-Length: 3\r\nContent-Length: 2\r\n\r\n{}",
    OK + b" X: a\r\nContent-Length: 2\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nno colon\r\n\r\n{}",
    OK + b"Content-Length: 2\r\n: empty\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nX: a\x00b\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nX: a\rb\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nX: a\x0cb\r\n\r\n{}",
    OK + b"Content-Length: 2\r\nX: a\x7fb\r\n\r\n{}",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\n{}",
    b"HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 O\x00K\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/9 200\r\n\r\n",
    b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    # Chunks.
    CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
    CHUNKED + b"0000a\r\n0123456789\r\n00\r\n\r\n",
    CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n",
    CHUNKED + b"5;a=b\r\nhello\r\n2\r\n{}\r\n0;x\r\n\r\n",
    CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
    CHUNKED + b"5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
    CHUNKED + b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n",
    CHUNKED + b"5\r\nhelloX\r\n0\r\n\r\n",
    CHUNKED + b"5\r\nhello\r\r0\r\n\r\n",
    CHUNKED + b"5\r\nhello\n0\r\n\r\n",
    CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    CHUNKED + b"fffffffffffffffffffff\r\nhello\r\n",
    CHUNKED + b"ffffffffffff\r\nhello\r\n",
    CHUNKED + b"5\r\nhel",
    CHUNKED + b"5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n",
    # More than was asked for.
    OK + b"Content-Length: 2\r\n\r\n{}x",
    OK + b"Content-Length: 2\r\n\r\n{}" + OK + b"Content-Length: 6\r\n\r\nforged",
    OK + b"Content-Length: 10\r\n\r\n{}",
]


@dataclass
class Heard:
    """What came of an answer; `refused` is that it is no HTTP, or broken off."""

    status: int = 0
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    over: bool = False
    refused: bool = False
    again: bool = False


def by_h11(pieces: list[bytes]) -> Heard:
    """h11's own reading of them."""
    talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
    length = (b"Content-Length", b"%d" % len(BODY))
    talk.send(h11.Request(method="POST", target="/", headers=[*FIELDS, length]))
    talk.send(h11.Data(data=BODY))
    talk.send(h11.EndOfMessage())
    heard = Heard()
    for piece in pieces:
        talk.receive_data(piece)
        while not heard.over:
            try:
                event = talk.next_event()
            except h11.RemoteProtocolError:
                heard.refused = True
                return heard
            if isinstance(event, h11.Response):
                heard.status, heard.fields = event.status_code, list(event.headers)
            elif isinstance(event, h11.Data):
                heard.body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                heard.over = True
            elif event is h11.NEED_DATA:
                break
            elif not isinstance(event, h11.InformationalResponse):
                heard.refused = True  # it stands still: a change of protocol, or the end
                return heard
    done = talk.our_state is talk.their_state is h11.DONE
    heard.again = heard.over and done and not talk.trailing_data[0]
    return heard


def question(body: bytes | None = BODY) -> Question:
    start = plain_start(b"POST", b"/", FIELDS)
    assert start is not None
    return Question(b"POST", b"/", FIELDS, start, sized=body is not None)


def by_us(pieces: list[bytes]) -> Heard:
    talk = Talk()
    talk.ask(question(), BODY)
    heard = Heard()
    try:
        for piece in pieces:
            talk.hear(piece)
            if not talk.receiving or not heard.status:
                head = talk.head()
                if head is None:
                    continue
                heard.status, heard.fields = head.status, head.fields
            while not talk.over and (found := talk.piece()):
                heard.body += found
            heard.over = talk.over
    except Nonsense:
        heard.refused = True
        return heard
    heard.again = heard.over and talk.finish()
    return heard


def same(pieces: list[bytes]) -> None:
    assert by_us(pieces) == by_h11(pieces), pieces


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("end", [False, True], ids=["open", "closed"])
def test_every_answer_is_what_it_is_to_h11_wherever_it_is_cut(answer: bytes, end: bool) -> None:
    last = [b""] if end else []
    same([answer, *last])
    for place in range(1, len(answer)):
        same([answer[:place], answer[place:], *last])
    same([*(answer[place : place + 1] for place in range(len(answer))), *last])


def odd(chance: random.Random) -> Iterator[bytes]:
    """An answer put together from good and bad parts, with a byte or two of it damaged."""
    yield chance.choice([OK] * 6 + [b"HTTP/1.1 404 \r\n", b"HTTP/1.1 100 C\r\n\r\n" + OK])
    yield chance.choice([b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
    lines = [b"Connection: close\r\n", b"X: y\r\n", b"X:\t\xff \r\n", b"Content-Length: 5\r\n"]
    lines += [b"Connection: keep-alive\r\n", b" folded\r\n", b"Transfer-Encoding: chunked\r\n"]
    for _line in range(chance.choice([0, 0, 1, 1, 2])):
        yield chance.choice(lines)
    yield chance.choice([b"\r\n"] * 9 + [b"\n"])
    bodies = [
        b"hello",
        b"5\r\nhello\r\n",
        b"3\r\nabc\r\n",
        b"1;x\r\n.\r\n",
        b"0\r\n\r\n",
        b"0\r\nT: 1\r\n\r\n",
    ]
    for _piece in range(chance.randrange(5)):
        yield chance.choice(bodies)


def damaged(chance: random.Random, answer: bytes) -> bytes:
    data = bytearray(answer)
    for _byte in range(chance.randrange(3)):
        place = chance.randrange(len(data))
        what = chance.choice(b"\r\n\x00 \t:;0a5\x7f\x80\xff" + bytes(data[place : place + 1]))
        match chance.randrange(3):
            case 0:
                data[place] = what
            case 1:
                data.insert(place, what)
            case _:
                del data[place]
    return bytes(data)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_answers_are_what_they_are_to_h11(seed: int) -> None:
    chance = random.Random(seed)
    plain = 0
    for _time in range(400):
        answer = damaged(chance, b"".join(odd(chance)))
        plain += plain_head(answer) is not None
        cuts = sorted(chance.randrange(len(answer) + 1) for _cut in range(chance.randrange(4)))
        edges = [0, *cuts, len(answer)]
        pieces = [answer[a:b] for a, b in pairwise(edges) if a < b]
        same([*pieces, *([b""] if chance.random() < 0.5 else [])])
    assert plain > 50  # else nothing but h11 was compared with h11


def test_the_plain_case_needs_no_h11(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is not plain does: nothing here is read by chance."""

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("h11 was asked")

    monkeypatch.setattr(h11, "Connection", asked)
    for answer in (OK + b"Content-Length: 2\r\n\r\n{}", CHUNKED + b"2\r\n{}\r\n0\r\n\r\n"):
        heard = by_us([answer])
        assert (heard.status, heard.body, heard.over, heard.again) == (200, b"{}", True, True)
    with pytest.raises(AssertionError):
        by_us([b"HTTP/1.0 200 OK\r\n\r\n"])


def test_one_question_after_the_other() -> None:
    talk = Talk()
    for number in range(3):
        sent = talk.ask(question(), BODY)
        assert sent == (
            b"POST / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: llmctl\r\nContent-Length: 7\r\n\r\n"
        )
        assert not talk.idle
        # The second answer is odd; what follows is plain again.
        talk.hear((b"HTTP/1.1 100 Go\r\n\r\n" if number == 1 else b"") + ANSWERS[0])
        head = talk.head()
        assert head is not None
        assert (head.status, talk.piece(), talk.over) == (200, b"{}", True)
        assert talk.finish()
        assert talk.idle


def test_a_question_that_asks_to_close_is_the_last() -> None:
    fields = [*FIELDS, (b"Connection", b"close")]
    talk = Talk()
    talk.ask(Question(b"POST", b"/", fields, plain_start(b"POST", b"/", fields)), BODY)
    talk.hear(ANSWERS[0])
    assert talk.head()
    assert talk.piece() == b"{}"
    assert not talk.finish()


def test_a_question_without_a_body_states_no_length() -> None:
    sent = Talk().ask(question(None), None)
    assert sent == b"POST / HTTP/1.1\r\nHost: a.test\r\nUser-Agent: llmctl\r\n\r\n"


def test_a_head_that_is_too_long_is_not_plain() -> None:
    head = OK + b"X: " + b"y" * LONGEST_HEAD + b"\r\nContent-Length: 0\r\n\r\n"
    assert plain_head(head) is None
    assert plain_head(OK + b"X: " + b"y" * 60_000 + b"\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("bad", [b"\r\n", b"\r", b"\n", b"\x00", b"a\r\nX: y", b"\x7f", b"\x0b"])
@pytest.mark.parametrize("where", ["method", "target", "name", "value"])
def test_no_question_is_more_than_one(bad: bytes, where: str) -> None:
    parts = {"method": b"POST", "target": b"/a", "name": b"X-One", "value": b"one"}
    parts[where] += bad + parts[where]
    fields = [*FIELDS, (parts["name"], parts["value"])]
    assert plain_start(parts["method"], parts["target"], fields) is None
    if (bad, where) != (b"\x7f", "value"):  # which h11 lets pass
        with pytest.raises(Unsayable):
            Talk().ask(Question(parts["method"], parts["target"], fields, None), b"")


@pytest.mark.parametrize(
    ("method", "more"),
    [
        (b"HEAD", []),
        (b"CONNECT", []),
        (b"POST", [(b"Host", b"b.test")]),
        (b"POST", [(b"content-length", b"3")]),
        (b"POST", [(b"Transfer-Encoding", b"chunked")]),
        (b"POST", [(b"Upgrade", b"websocket")]),
        (b"POST", [(b"Expect", b"100-continue")]),
        (b"POST", [(b"X:Y", b"z")]),
        (b"POST", [(b"", b"z")]),
        (b"POST", [(b"X ", b"z")]),
        (b"POST", [(b"X", b" z")]),
    ],
)
def test_what_is_out_of_the_ordinary_is_not_plain(
    method: bytes, more: list[tuple[bytes, bytes]]
) -> None:
    assert plain_start(method, b"/", [*FIELDS, *more]) is None


def test_without_a_host_nothing_is_plain() -> None:
    assert plain_start(b"GET", b"/", FIELDS[1:]) is None


@pytest.mark.parametrize("seed", range(4))
def test_what_is_said_in_plain_h11_understands(seed: int) -> None:
    chance = random.Random(seed)
    said = 0
    for _time in range(500):
        word = [bytes(chance.choices(b"aZ-:~ \t\r\n\x00\xff/?%", k=3)) for _part in range(4)]
        method, target, fields = word[0], b"/" + word[1], [*FIELDS, (word[2], word[3])]
        start = plain_start(method, target, fields)
        if start is None:
            start = plain_start(b"POST", b"/a", [*FIELDS, (b"X", word[3])])
            method, target, fields = b"POST", b"/a", [*FIELDS, (b"X", word[3])]
        if start is None:
            continue
        said += 1
        server = h11.Connection(h11.SERVER)
        server.receive_data(start.text + b"\r\n")
        event = server.next_event()
        assert isinstance(event, h11.Request)
        assert (event.method, event.target) == (method, target)
        assert list(event.headers) == [(name.lower(), value) for name, value in fields]
        assert isinstance(server.next_event(), h11.EndOfMessage)
        assert server.next_event() is h11.NEED_DATA
    assert said > 20
