"""A whole answer of llama.cpp out of its pieces: the library hears of nobody who wants it to stop
before a whole one is made, and between two pieces it does."""

from collections.abc import Mapping
from typing import Any

from llmctl.types import Json

# Fields of a request whose answer is more than text: it is left to the library to put together.
MORE = frozenset({"tools", "functions", "logprobs", "top_logprobs", "n_probs", "n", "best_of"})
TEXTS = ("content", "reasoning_content")


def is_text(body: Mapping[str, Json]) -> bool:
    """Whether the answer is text alone."""
    return not any(body.get(name) for name in MORE)


class Pieces:
    """The chunks of a streamed answer in the shape of chat completions, or of completions."""

    def __init__(self) -> None:
        self._last: dict[str, Json] = {}
        self._error: Mapping[str, Json] | None = None
        self._reason: Json = None
        self._texts: dict[str, list[str]] = {}

    def add(self, chunk: Mapping[str, Json]) -> None:
        if chunk.get("error"):
            self._error = chunk
            return
        self._last |= {name: value for name, value in chunk.items() if name != "choices"}
        for choice in chunk.get("choices") or ():
            self._reason = choice.get("finish_reason") or self._reason
            said = choice.get("delta") or {"text": choice.get("text")}
            for name in (*TEXTS, "text"):
                if said.get(name):
                    self._texts.setdefault(name, []).append(said[name])

    def whole(self) -> Mapping[str, Json]:
        """The answer as the library would have given it, or its error."""
        if self._error is not None:
            return self._error
        texts = {name: "".join(parts) for name, parts in self._texts.items()}
        choice: dict[str, Any] = {"index": 0, "finish_reason": self._reason}
        kind = str(self._last.get("object"))
        if kind.startswith("chat."):
            choice["message"] = {"role": "assistant", "content": "", **texts}
        else:
            choice |= {"text": texts.get("text", ""), "logprobs": None}
        return {**self._last, "object": kind.removesuffix(".chunk"), "choices": [choice]}
