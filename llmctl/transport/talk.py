"""What one side of a connection says and hears: HTTP/1.1 as bytes in and out, without I/O.

The plain case is read by `plain`, everything else by h11, which is loaded only then. A request
that was sent in plain is told to h11 afterwards, when its answer turns out to be odd: before its
head, or between two chunks, h11 takes over with the same bytes.
"""

import sys
from typing import TYPE_CHECKING

from llmctl.transport.plain import (
    LONGEST_HEAD,
    UNTIL_CLOSE,
    Chunks,
    Fields,
    Head,
    Start,
    plain_head,
)
from llmctl.values import dataclass

if TYPE_CHECKING:
    import h11


class Nonsense(Exception):
    """What was heard is no HTTP, or breaks off."""


class Unsayable(Exception):
    """What is to be said is no HTTP. Tells nothing of it: a key may be in there."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request but for its body. `start` is its plain form, if it has one: then `fields` state no
    length, which is said where the question is `sized`."""

    method: bytes
    target: bytes
    fields: Fields
    start: Start | None
    sized: bool = True


class _Blank:
    """Stands for a body that has gone out already; h11 wants to know only its length."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size


class Talk:
    """Question after question, each once the answer to the last is over.

    `idle` says that a question may be asked; `sent` that all of the last has been said; `receiving`
    that the head of its answer was heard and the end was not; `over` that the end was.
    """

    def __init__(self) -> None:
        self.idle = self.sent = True
        self.receiving = self.over = False
        self._question: Question | None = None
        self._size: int | None = None
        self._heard = b""
        self._head: Head | None = None
        self._raw = b""
        self._left = 0
        self._until_close = False
        self._chunks: Chunks | None = None
        self._full: h11.Connection | None = None
        self._error: Nonsense | None = None

    # ---- saying

    def ask(self, question: Question, body: bytes | None) -> bytes:
        """The bytes of a question but for its body, which goes out behind them; None for none."""
        self._question = question
        self._size = None if body is None or not question.sized else len(body)
        start = question.start
        if start is None:
            return self._ask_in_full(body)
        self.idle = False
        if self._size is None:
            return start.text + b"\r\n"
        return b"%bContent-Length: %d\r\n\r\n" % (start.text, self._size)

    def _ask_in_full(self, body: bytes | None) -> bytes:
        import h11

        head = self.begin(self._said())
        assert self._full is not None  # noqa: S101  begun
        try:
            if body:
                self._full.send_with_data_passthrough(h11.Data(data=body))
            self.end()
        except h11.LocalProtocolError:
            raise Unsayable from None
        return head

    def _said(self) -> Question:
        """The question with its length."""
        question = self._question
        assert question is not None  # noqa: S101  asked
        if question.start is None or self._size is None:
            return question
        length = (b"Content-Length", b"%d" % self._size)
        return Question(question.method, question.target, [*question.fields, length], None)

    def begin(self, question: Question) -> bytes:
        """The head of a question whose body follows by `go_on`, until `end`; its fields state its
        length. Raises Unsayable."""
        import h11

        self._full = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
        try:
            head = self._full.send(
                h11.Request(method=question.method, target=question.target, headers=question.fields)
            )
        except h11.LocalProtocolError:  # its text would show the key
            raise Unsayable from None
        assert head is not None  # noqa: S101  None stands for a connection to be closed
        self.idle = self.sent = False
        return head

    def go_on(self, piece: bytes) -> None:
        """A piece of the body goes out."""
        import h11

        assert self._full is not None  # noqa: S101  begun
        self._full.send_with_data_passthrough(h11.Data(data=piece))

    def end(self) -> None:
        import h11

        assert self._full is not None  # noqa: S101  begun
        self._full.send(h11.EndOfMessage())
        self.sent = True

    # ---- hearing

    def hear(self, data: bytes) -> None:
        """Take in what has arrived, b"" for the end of the connection."""
        if self._full is not None:
            self._full.receive_data(data)
        elif self.receiving and data:
            self._heard = self._heard + data if self._heard else data
        elif self.receiving and self._until_close:
            self._left = len(self._heard)
            self.over = not self._left
        elif self.receiving:
            self._error = Nonsense("the connection was closed")
        elif head := plain_head(data):
            self._begun(head, data)
        else:
            self._hand_over(data)

    def _begun(self, head: Head, data: bytes) -> None:
        self.receiving = True
        self._head, self._heard = head, data[head.size :]
        if head.length is None:
            self._chunks, self._raw = Chunks(), data[: head.size]
        else:
            self._until_close = head.length == UNTIL_CLOSE
            self._left = sys.maxsize if self._until_close else head.length
            self.over = not self._left

    def _hand_over(self, data: bytes) -> None:
        """From here on the answer is h11's."""
        import h11

        self.begin(self._said())
        full = self._full
        assert full is not None  # noqa: S101  begun
        if self._size:
            full.send_with_data_passthrough(h11.Data(data=_Blank(self._size)))  # type: ignore[arg-type]  # as its documentation has it
        self.end()
        if self._raw:
            full.receive_data(self._raw)
            full.next_event()
        full.receive_data(data)

    def head(self) -> Head | None:
        """The head of the answer, None while it is not here, for what comes before it, too. Raises
        Nonsense."""
        if self._full is None:
            return self._head
        import h11

        while True:
            event = self._next()
            if isinstance(event, h11.Response):
                self.receiving = True
                return Head(event.status_code, list(event.headers), 0, None, True)
            if event is h11.NEED_DATA:
                return None
            if not isinstance(event, h11.InformationalResponse):
                raise Nonsense("the connection was closed")

    def _next(self) -> object:
        """h11's next event; raises Nonsense, the same one again when called again."""
        import h11

        assert self._full is not None  # noqa: S101  asked by those who know
        if self._error is not None:
            raise self._error
        try:
            return self._full.next_event()
        except h11.RemoteProtocolError as error:
            self._error = Nonsense(str(error))
            raise self._error from None

    def piece(self) -> bytes:
        """All that is here of the body, b"" for nothing. Raises Nonsense once all that came before
        it has been taken."""
        if self._full is not None:
            return self._full_piece()
        if self._chunks is not None:
            return self._chunk(self._chunks)
        heard, left = self._heard, self._left
        if len(heard) > left:
            piece, self._heard = heard[:left], heard[left:]
        else:
            piece, self._heard = heard, b""
        self._left = left - len(piece)
        self.over = not self._left
        if not piece and not self.over and self._error is not None:
            raise self._error
        return piece

    def _chunk(self, chunks: Chunks) -> bytes:
        heard, self._heard = self._heard, b""
        if heard:
            piece = chunks.feed(heard)
            self.over = chunks.over
            if chunks.wrong:
                self._error = Nonsense(chunks.wrong)
            if chunks.over:
                self._heard = chunks.rest
            elif chunks.odd:
                self._hand_over(chunks.rest)
                return piece or self._full_piece()
            if piece:
                return piece
        if self._error is not None:
            raise self._error
        return b""

    def _full_piece(self) -> bytes:
        import h11

        pieces: list[bytes] = []
        try:
            while type(event := self._next()) is h11.Data:
                pieces.append(event.data)
            self.over = event is not h11.NEED_DATA
        except Nonsense:
            if not pieces:
                raise  # else it comes again, with its cause, at the next reading
        return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> bool:
        """The answer is whole: make ready for the next question; False where there can be none."""
        if not (self.over and self.sent) or self._heard:
            return False  # what was sent unasked would pass as the next answer
        if (full := self._full) is not None:
            import h11

            whole = full.our_state is h11.DONE and full.their_state is h11.DONE
            if not whole or full.trailing_data[0]:
                return False
        elif not self._keeps:
            return False
        self.__init__()  # type: ignore[misc]  # begins anew
        return True

    @property
    def _keeps(self) -> bool:
        question, head = self._question, self._head
        return bool(head and head.keep and question and question.start and question.start.keep)
