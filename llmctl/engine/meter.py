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
    Verdict,
)


def call_id() -> str:
    """A new id, sortable by time: 12 hex digits of milliseconds and 8 at random."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(4).hex()}"


def utc_now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Meter:
    """One call from its start to its receipt. All moments are seconds on `clock`.

    Times count from the start of the last attempt; all that came before it (failed attempts and
    the waits between) is `waited_s`.
    """

    def __init__(self, requested: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = call_id()
        self.started_at = utc_now()
        self.requested = requested
        self.attempts = 0
        self.finished: Finished | None = None
        self._clock = clock
        self._begun = self._attempt_begun = clock()
        self._texts: list[str] = []
        self._reasonings: list[str] = []
        self._media: list[Media] = []
        self._tool_calls: list[ToolCall] = []
        self._first_token: float | None = None
        self._last_token: float | None = None
        self._ended: float | None = None
        self._connect_s: float | None = None
        self._reused = False
        self._first_byte_s: float | None = None
        self._load_s: float | None = None

    @property
    def shown(self) -> bool:
        """Whether anything of the answer has been passed on."""
        return self._first_token is not None

    @property
    def text(self) -> str:
        return "".join(self._texts)

    def attempt(self) -> None:
        """A try begins."""
        self.attempts += 1
        self._attempt_begun = self._clock()
        # Nothing of an earlier try is a figure of this one.
        self._connect_s = self._first_byte_s = self._load_s = None
        self._reused = False

    def answered(
        self,
        connect_s: float | None,
        reused: bool,
        first_byte_s: float | None,
        load_s: float | None,
    ) -> None:
        """The first byte of the answer is here."""
        self._connect_s, self._reused = connect_s, reused
        self._first_byte_s, self._load_s = first_byte_s, load_s

    def event(self, event: Event) -> None:
        """Count one event of the answer."""
        match event:
            case TextDelta(text):
                self._token(self._texts, text)
            case ReasoningDelta(text):
                self._token(self._reasonings, text)
            case ToolCall():
                self._tool_calls.append(event)
                self._mark()
            case Media():
                self._media.append(event)
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

    def _token(self, pieces: list[str], text: str) -> None:
        pieces.append(text)
        self._mark()

    def _mark(self) -> None:
        self._last_token = self._clock()
        if self._first_token is None:
            self._first_token = self._last_token

    def latency(self, *, streamed: bool) -> Latency:
        """`ttft_s` and tokens per second are None for an answer that came in one piece."""
        ended = self._ended if self._ended is not None else self._clock()
        first = self._first_token if streamed else None
        server = self.finished.server_timing if self.finished else None
        load_s = self._load_s
        if load_s is None and self.finished:
            load_s = self.finished.load_s
        return Latency(
            connect_s=self._connect_s,
            reused=self._reused,
            first_byte_s=self._first_byte_s,
            ttft_s=None if first is None else first - self._attempt_begun,
            total_s=ended - self._attempt_begun,
            waited_s=self._attempt_begun - self._begun,
            load_s=load_s,
            output_tokens_per_s=self._speed(first),
            server=server,
        )

    def _speed(self, first: float | None) -> float | None:
        usage = self.finished.usage if self.finished else None
        tokens = usage.output_tokens if usage else None
        if not tokens:
            return None
        server = self.finished.server_timing if self.finished else None
        if server and server.get("output_s"):
            return tokens / server["output_s"]
        if first is None or self._last_token is None or self._last_token <= first:
            return None
        return (tokens - 1) / (self._last_token - first)

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
            latency=self.latency(streamed=streamed) if self.attempts else Latency(),
            verdict=verdict,
            request_id=finished.request_id if finished else None,
            attempts=self.attempts,
            details=finished.details if finished else {},
            error=error.failure() if error else None,
        )
