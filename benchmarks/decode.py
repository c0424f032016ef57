"""What decoding a dialect adds to each streamed token, over cutting the bytes into frames alone.

For every dialect its recorded plain stream (tests/dialects/NAME/plain.body, or one for each kind of
call) is repeated: where its frames stand for themselves, those with text within one long answer,
else (a dialect that repeats the text so far in every frame) the whole answer. Both sides get the
bytes in the same pieces; the difference, divided by the frames with text, is the dialect's.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.harness import ROOT, Bar, arguments, cell, report
from llmctl.dialects import DIALECTS, Dialect, Frame, Framing
from llmctl.transport.ndjson import NdjsonDecoder
from llmctl.transport.sse import SseDecoder
from llmctl.types import Chat, Complete, Finished, Quirks, Role, TextDelta, message

RECORDED = ROOT / "tests" / "dialects"
PLAIN = ("plain", "chat", "generate")
TOKENS = 2000
LIMIT_US = 25.0
PIECE = 16 * 1024  # bytes that arrive at once


def main() -> int:
    count: int = arguments(__doc__, 15).parse_args().rounds
    rows, bars = [], []
    for name, stream in streams():
        bare, whole = stream.measured(count)
        added = [one - other for one, other in zip(whole, bare, strict=True)]
        figures = (cell(values, 1, 2) for values in (bare, whole, added))
        rows.append([name, stream.how, str(stream.tokens), *figures])
        bars.append(Bar(f"{name}, added to a token", added, LIMIT_US, unit="µs"))
    head = ["dialect", "repeated", "tokens", "frames alone µs", "decoded µs", "added µs"]
    return report("Decoding a streamed token", count, head, rows, bars)


def streams() -> Iterator[tuple[str, "Stream"]]:
    """The plain streams of all dialects; ends the program where one has none."""
    for name, made in DIALECTS.items():
        found = [path for kind in PLAIN if (path := RECORDED / name / f"{kind}.body").exists()]
        if not found:
            raise SystemExit(f"there is no plain stream in {RECORDED / name}")
        for path in found:
            yield name if path.stem == PLAIN[0] else f"{name}, {path.stem}", Stream(made(), path)


class Stream:
    """One recorded stream made long."""

    def __init__(self, dialect: Dialect, body: Path) -> None:
        told = json.loads(body.with_suffix(".json").read_text(encoding="utf-8"))
        self._dialect = dialect
        prompt = told["prompt"]
        chat = Chat("m", (message(Role.USER, prompt),))
        self._call = Complete("m", prompt) if told.get("complete") else chat
        self._quirks = Quirks(**told.get("quirks", {}))
        self._framing = Framing(told["framing"])
        units = self._units(body.read_bytes())
        texts = self._texts(units)
        times = max(1, TOKENS // len(texts))
        first, last = texts[0], texts[-1] + 1
        long = [*units[:first], *units[first:last] * times, *units[last:]]
        self.how = "frames with text"
        self.tokens = len(texts) * times
        self._answers = [b"".join(long)]
        if self._deltas(long) != self.tokens:
            self.how = "whole answers"
            self._answers = [b"".join(units)] * times
        self._pieces = [
            [answer[at : at + PIECE] for at in range(0, len(answer), PIECE)]
            for answer in self._answers
        ]

    def measured(self, rounds: int) -> tuple[list[float], list[float]]:
        """Microseconds a token, frames alone and decoded, round by round in turn."""
        bare, whole = [], []
        for number in range(rounds + 1):
            one, other = self._timed(self._cut), self._timed(self._decode)
            if number:  # the first round warms up
                bare.append(one)
                whole.append(other)
        return bare, whole

    def _timed(self, work: Callable[[Sequence[bytes]], None]) -> float:
        gc.collect()
        gc.disable()
        begun = time.process_time()
        for pieces in self._pieces:
            work(pieces)
        seconds = time.process_time() - begun
        gc.enable()
        return seconds / self.tokens * 1e6

    def _cutter(self) -> SseDecoder | NdjsonDecoder:
        return SseDecoder() if self._framing is Framing.SSE else NdjsonDecoder()

    def _cut(self, pieces: Sequence[bytes]) -> None:
        cutter = self._cutter()
        for piece in pieces:
            for _frame in cutter.feed(piece):
                pass
        cutter.flush()

    def _decode(self, pieces: Sequence[bytes]) -> None:
        cutter, decoder = self._cutter(), self._dialect.decoder(self._call, self._quirks)
        ended = False
        for frames in (*map(cutter.feed, pieces), cutter.flush()):
            for frame in frames:
                for event in decoder.feed(frame):
                    ended = isinstance(event, Finished)
        if not decoder.done:
            for event in decoder.end():
                ended = isinstance(event, Finished)
        assert ended

    # ---- the recording in units

    def _units(self, body: bytes) -> list[bytes]:
        """The bytes of each frame with what ends it."""
        end = b"\n\n" if self._framing is Framing.SSE else b"\n"
        return [unit + end for unit in body.split(end) if unit.strip()]

    def _frames(self, units: Iterable[bytes]) -> list[Frame]:
        cutter = self._cutter()
        return [frame for unit in units for frame in cutter.feed(unit)]

    def _texts(self, units: list[bytes]) -> list[int]:
        """The numbers of the units with text."""
        decoder = self._dialect.decoder(self._call, self._quirks)
        return [
            number
            for number, unit in enumerate(units)
            for frame in self._frames([unit])
            if not decoder.done and any(isinstance(one, TextDelta) for one in decoder.feed(frame))
        ]

    def _deltas(self, units: list[bytes]) -> int:
        decoder = self._dialect.decoder(self._call, self._quirks)
        return sum(
            isinstance(one, TextDelta)
            for frame in self._frames(units)
            if not decoder.done
            for one in decoder.feed(frame)
        )


if __name__ == "__main__":
    sys.exit(main())
