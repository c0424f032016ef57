"""Collects what one call produced and how long it took, and sums it up as a `Receipt`."""

import os
import time
from collections.abc import Callable

from llmctl.errors import LlmctlError
from llmctl.types import (
    Cost,
    Event,
    Finished,
    Latency,
    Media,
    ReasoningDelta,
    Receipt,
    TextDelta,
    ToolCall,
    Usage,
    Vector,
    Verdict,
)

# What comes within less came in one piece: something on the way had held it back.
SHORTEST_S = 0.01


def call_id() -> str:
    """A new id, sortable by time: 12 hex digits of milliseconds and 8 at random."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(4).hex()}"


def utc_now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Meter:
    """One call from its start to its receipt. All moments are seconds on `clock`.

    Times count from the moment the last attempt was sent off; all that came before it (one's turn,
    failed attempts and the waits between) is `waited_s`, but for the token that it needed.
    """

    def __init__(self, requested: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = call_id()
        self.started_at = utc_now()
        self.requested = requested
        self.attempts = 0
        self.finished: Finished | None = None
        self._clock = clock
        self._begun = self._attempt_begun = clock()
        self._paused: float | None = None
        self._texts: list[str] = []
        self._reasonings: list[str] = []
        self._media: list[Media] = []
        self._tool_calls: list[ToolCall] = []
        self._first_token: float | None = None
        self._last_token: float | None = None
        self._first_text: float | None = None
        self._last_text: float | None = None
        self._ended: float | None = None
        self._connect_s: float | None = None
        self._reused = False
        self._first_byte_s: float | None = None
        self._load_s: float | None = None
        self._auth_s: float | None = None

    @property
    def shown(self) -> bool:
        """Whether anything of the answer has been passed on."""
        return self._first_token is not None

    @property
    def pictures(self) -> int:
        """How many files there are in the answer."""
        return len(self._media)

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def attempt(self, *, goes_on: bool = False) -> None:
        """A try begins. One that `goes_on` asks again after what the server is working on, which
        has begun long ago: what that takes is the server's time, whatever stood in between."""
        self.attempts += 1
        if goes_on:
            self._paused = None
            return
        self.restart()
        # Nothing of an earlier try is a figure of this one.
        self._connect_s = self._first_byte_s = self._load_s = self._auth_s = None
        self._reused = False

    def restart(self) -> None:
        """What the try has done so far was no part of the call."""
        self._attempt_begun = self._clock()
        self._paused = None

    def pause(self) -> None:
        """The try has failed, and what follows is a wait."""
        self._paused = self._clock()

    def answered(
        self,
        connect_s: float | None,
        reused: bool,
        first_byte_s: float | None,
        load_s: float | None,
        auth_s: float | None = None,
    ) -> None:
        """The head of the answer is here."""
        self._connect_s, self._reused = connect_s, reused
        self._first_byte_s, self._load_s = first_byte_s, load_s
        self._auth_s = auth_s

    def event(self, event: Event) -> None:
        """Count one event of the answer."""
        match event:
            case TextDelta(text):
                self._texts.append(text)
                self._mark()
                self._last_text = self._last_token
                if self._first_text is None:
                    self._first_text = self._last_token
            case ReasoningDelta(text):
                self._reasonings.append(text)
                self._mark()
            case ToolCall():
                self._tool_calls.append(event)
                self._mark()
            case Media():
                self._media.append(event)
                self._mark()
            case Vector():
                self._mark()
            case Finished():
                self.finished = event
                self.end()
            case _:
                pass

    def end(self) -> None:
        """The answer is over, whole or not; later calls change nothing."""
        if self._ended is None:
            self._ended = self._clock()

    def _mark(self) -> None:
        self._last_token = self._clock()
        if self._first_token is None:
            self._first_token = self._last_token

    def latency(self, *, streamed: bool) -> Latency:
        """`ttft_s` and tokens per second are None for an answer that came in one piece."""
        ended = self._ended if self._ended is not None else self._clock()
        if not self.attempts:
            return Latency(waited_s=ended - self._begun)
        over = ended if self._paused is None else self._paused
        asked = self._attempt_begun + (self._auth_s or 0.0)
        first = self._first_token if streamed else None
        server = self.finished.server_timing if self.finished else None
        load_s = self._load_s
        if load_s is None and self.finished:
            load_s = self.finished.load_s
        return Latency(
            connect_s=self._connect_s,
            reused=self._reused,
            first_byte_s=self._first_byte_s,
            ttft_s=None if first is None else first - asked,
            total_s=over - asked,
            waited_s=self._attempt_begun - self._begun + ended - over,
            load_s=load_s,
            output_tokens_per_s=self._speed(streamed=streamed),
            server=server,
            auth_s=self._auth_s,
        )

    def _speed(self, *, streamed: bool) -> float | None:
        """Tokens a second: those that came after the first piece, by the time from it to the last.
        For an answer in one piece, what the server says of itself."""
        usage = self.finished.usage if self.finished else None
        if usage is None or not usage.output_tokens or self._media:
            return None
        if streamed and (measured := self._measured(usage)) is not None:
            return measured
        server = self.finished.server_timing if self.finished else None
        if server and server.get("output_s"):
            return usage.output_tokens / server["output_s"]
        return None

    def _measured(self, usage: Usage) -> float | None:
        tokens, pieces = usage.output_tokens or 0, [*self._reasonings, *self._texts]
        first, last = self._first_token, self._last_token
        if usage.reasoning_tokens:
            # Thoughts are often made unseen, or only summed up: then their number and what came
            # of them do not belong together. The text that follows is measured without them.
            tokens, pieces = tokens - usage.reasoning_tokens, self._texts
            first, last = self._first_text, self._last_text
        if first is None or last is None or last - first < SHORTEST_S or tokens < 2:
            return None
        # The first piece was made before the watch began; it may hold many tokens.
        length = sum(map(len, pieces))
        share = len(pieces[0]) / length if length else 0.0
        return (tokens - max(1.0, tokens * share)) / (last - first)

    def receipt(
        self,
        *,
        provider: str | None = None,
        verdict: Verdict | None = None,
        cost: Cost | None = None,
        streamed: bool = True,
        error: LlmctlError | None = None,
    ) -> Receipt:
        """Everything known of this call by now."""
        finished = self.finished
        return Receipt(
            id=self.id,
            started_at=self.started_at,
            requested=self.requested,
            provider=provider,
            resolved=finished.model if finished else None,
            text=self.text,
            reasoning="".join(self._reasonings) or None,
            media=tuple(self._media),
            tool_calls=tuple(self._tool_calls),
            finish_reason=finished.reason if finished else None,
            usage=(finished.usage if finished else None) or Usage(),
            cost=cost or Cost(),
            latency=self.latency(streamed=streamed),
            verdict=verdict,
            request_id=finished.request_id if finished else None,
            attempts=self.attempts,
            details=finished.details if finished else {},
            error=error.failure() if error else None,
        )
