"""The model inside this process as an httpx transport: requests in OpenAI's shape go in, its
server-sent events come out, so that nothing above knows that no network is involved.

The library blocks, swallows whatever is raised in its callback, and aborts the process when the
interpreter ends while it generates. So each answer is made by a thread that is not a daemon, is
told to stop between two tokens, and is waited for.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Self

import httpx

from llmctl.messages import _
from llmctl.transport.llama_model import TOO_LONG, LlamaModel, OnChunk
from llmctl.transport.llama_resident import Resident, in_thread, resident
from llmctl.transport.llama_vectors import EMBEDDINGS
from llmctl.types import Json

# A thread in the middle of a long prompt hears of nothing until its first token. By then the
# command leaves (see cli/start.py); where it does not, the interpreter waits for the thread.
PATIENCE_S = 0.5

# No tokenizer has tokens that are longer on average.
MOST_BYTES_A_TOKEN = 200

COUNT = "/chat/completions/input_tokens"
MOST_COUNTED = 32 << 20  # bytes: some fifteen seconds and two gigabytes

Answering = Callable[[Mapping[str, Json], OnChunk], Mapping[str, Json] | None]

__all__ = ["Answer", "LlamaTransport", "Whole", "in_thread", "refusal"]


class LlamaTransport(httpx.AsyncBaseTransport):
    """One model, loaded at the first request, for one request at a time. With the option `parallel`
    all transports of an event loop to the same file with the same options share it, and it serves
    that many requests at once. Answers carry `extensions`: `load_s` (None once it is loaded),
    `reused`, `head_at`."""

    def __init__(self, path: str, options: Mapping[str, Json]) -> None:
        self._path = path
        self._options = options
        self._resident: Resident | None = None
        self._answer: Answer | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(await request.aread())
        if self._resident is None:
            self._resident = resident(self._path, self._options)
        vectors = request.url.path == EMBEDDINGS
        model, load_s = await self._resident.model(vectors=vectors)
        answering = ways(model).get(request.url.path)
        if answering is None:
            return refusal({"code": 404, "message": request.url.path})
        size = len(request.content)
        most = MOST_COUNTED if request.url.path == COUNT else model.context * MOST_BYTES_A_TOKEN
        most *= len(body.get("input") or " ") if vectors else 1
        if size > most:
            # To cut 50 MB into tokens only to find them too many takes half a minute and gigabytes.
            return refusal(too_long(f"{size / 1e6:.1f} MB", model.context))
        answer, first = await self._begun(self._resident, answering, body)
        extensions = {"load_s": load_s, "reused": load_s is None, "head_at": time.monotonic()}
        if isinstance(first, BaseException):
            return refusal({"code": 400, "message": str(first)}, extensions)
        if first is not None and (error := first.get("error")):
            if error.get("type") == TOO_LONG:
                error = too_long(str(error.get("n_prompt_tokens")), model.context)
            return refusal(error, extensions)
        if not body.get("stream"):
            return httpx.Response(
                200,
                headers={"content-type": "application/json"},
                stream=Whole(first or {}),
                extensions=extensions,
            )
        return httpx.Response(
            200,
            headers={"content-type": "text/event-stream"},
            stream=Events(answer, first),
            extensions=extensions,
        )

    async def _begun(
        self, home: Resident, answering: Answering, body: Mapping[str, Json]
    ) -> tuple["Answer", Mapping[str, Json] | BaseException | None]:
        """An answer and its first chunk. Whoever is cancelled meanwhile leaves a thread that stops
        by itself; its place is taken until then, since the library would have none either."""
        await home.enter()
        self._answer = answer = Answer(answering, body, home.leave)
        try:
            return answer, await answer.next()
        except asyncio.CancelledError:
            answer.stop()
            raise

    async def aclose(self) -> None:
        if self._answer is not None:
            await self._answer.stopped()
        if self._resident is not None:
            self._resident.close()
            self._resident = None


def ways(model: LlamaModel) -> Mapping[str, Answering]:
    """What can be asked of a model, by the path of the request."""
    return {
        "/chat/completions": model.chat,
        "/completions": model.complete,
        COUNT: model.count,
        EMBEDDINGS: model.embed,
    }


def call_soon(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *given: Any) -> None:
    """Run `call` in the loop, from another thread; a loop that is over hears nothing."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *given)


class Answer:
    """The chunks of one answer, made by a thread as they are asked for. `ended` is called in the
    loop when the thread is through."""

    def __init__(
        self,
        answering: Answering,
        body: Mapping[str, Json],
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._tell = ended
        self._streams = bool(body.get("stream"))
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[Mapping[str, Json] | BaseException | None] = asyncio.Queue()
        self._stop = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(answering, body), name="llama")
        self._thread.start()

    def _run(self, answering: Answering, body: Mapping[str, Json]) -> None:
        last: Mapping[str, Json] | BaseException | None
        try:
            last = answering(body, self._chunk)
        except BaseException as error:
            last = error
        if last is not None:
            call_soon(self._loop, self._chunks.put_nowait, last)
        call_soon(self._loop, self._ended)

    def _chunk(self, chunk: Mapping[str, Json]) -> bool:
        if self._streams:  # else it is a part of what comes whole in the end
            call_soon(self._loop, self._chunks.put_nowait, chunk)
        return self._stop.is_set()

    def _ended(self) -> None:
        self._chunks.put_nowait(None)
        self._over.set()
        self._tell()

    async def next(self) -> Mapping[str, Json] | BaseException | None:
        """The next chunk, an exception in its place, None at the end."""
        return await self._chunks.get()

    def stop(self) -> None:
        """End the generation between two tokens, without waiting for that."""
        self._stop.set()

    async def stopped(self) -> bool:
        """End the generation between two tokens; whether the thread is over by now."""
        self.stop()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._over.wait()
        except TimeoutError:
            return False
        self._thread.join()
        return True


class Events(httpx.AsyncByteStream):
    """The chunks of an answer as server-sent events, `[DONE]` behind the last. Closed early, the
    generation stops."""

    def __init__(self, answer: Answer, first: Mapping[str, Json] | None) -> None:
        self._answer = answer
        self._next = first
        self._done = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._done:
            raise StopAsyncIteration
        chunk: Mapping[str, Json] | BaseException | None = self._next
        self._next = None
        if chunk is None:
            chunk = await self._answer.next()
        if chunk is None:
            self._done = True
            return b"data: [DONE]\n\n"
        if isinstance(chunk, BaseException):
            chunk = {"error": {"message": str(chunk)}}
        return b"data: " + json.dumps(chunk).encode() + b"\n\n"

    async def aclose(self) -> None:
        if not self._done:
            self._done = True
            await self._answer.stopped()


class Whole(httpx.AsyncByteStream):
    """A document in one piece."""

    def __init__(self, document: Mapping[str, Json]) -> None:
        self._rest = [json.dumps(document).encode()]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._rest:
            raise StopAsyncIteration
        return self._rest.pop()


def too_long(size: str, context: int) -> Mapping[str, Json]:
    """The library's own error, with the setting that helps."""
    said = _(
        "the prompt ({size}) is longer than the context of {context} tokens; where the model has"
        " more: llmctl config set local.context {more}",
        size=size,
        context=context,
        more=2 * context,
    )
    return {"code": 400, "type": TOO_LONG, "message": said}


def refusal(
    error: Mapping[str, Json], extensions: Mapping[str, Any] | None = None
) -> httpx.Response:
    """An error of the library, which has the status as its code, as an answer of HTTP."""
    code = error.get("code")
    return httpx.Response(
        code if isinstance(code, int) and 400 <= code < 600 else 500,
        headers={"content-type": "application/json"},
        stream=Whole({"error": dict(error)}),
        extensions=dict(extensions or {}),
    )
