"""llama.cpp inside this process: a model loaded from its file, closed to everybody else.

What the library gets wrong is put right here: it reports every unusable file in the same words, it
listens on a loopback port (there is no switch against that, so the port gets a key that nobody
knows, no page and no origin), and its threads spin while they wait for each other.
"""

import os
import secrets
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llmctl.errors import ConfigError, NotFound
from llmctl.messages import _
from llmctl.transport import llama_vectors
from llmctl.transport.llama_whole import Pieces, is_text
from llmctl.types import Json

TOO_LONG = "exceed_context_size_error"
MAGIC = b"GGUF"
# Tokens, where the settings say nothing: a model may know a hundred thousand, whose keys and values
# alone would fill the memory of a small machine.
CONTEXT = 4096
SMALL = 500_000_000  # bytes of a file whose keys and values are small too: it gets twice as many
PROMPT_CACHE_MB = 256  # the library's own default is 8 GB

# Read by the OpenMP runtime when it is loaded. Its threads wait for each other in busy loops, which
# is thirty times slower as soon as one core is taken by something else.
CALM = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}

# Chunks of an answer go in; whether to stop comes out.
OnChunk = Callable[[Mapping[str, Json]], bool]


def check_file(path: Path) -> None:
    """Raises NotFound where there is no file, ConfigError where it is no model in GGUF form."""
    try:
        with open(path, "rb") as file:
            magic = file.read(len(MAGIC))
    except FileNotFoundError:
        raise NotFound(
            _("there is no model file {path}", path=path),
            hint=_("the models there are: llmctl models list local"),
            reason="weights",
        ) from None
    except OSError as error:
        raise ConfigError(
            _("cannot read {path}: {why}", path=path, why=error.strerror or type(error).__name__)
        ) from None
    if magic != MAGIC:
        raise ConfigError(
            _("{path} is not a model in GGUF form", path=path),
            hint=_("the models there are: llmctl models list local"),
            reason="not-gguf",
        )


def library() -> Any:
    """The module xllamacpp; raises NotFound where it is not installed."""
    for name, value in CALM.items():
        os.environ.setdefault(name, value)
    try:
        import xllamacpp
    except ImportError:
        raise missing() from None
    return xllamacpp


def missing() -> NotFound:
    """The error of an installation without llama.cpp."""
    return NotFound(
        _("this installation has no engine for local models"),
        hint=_("add it, in a checkout of llmctl: pip install '.[local]' (see docs/install.md)"),
        reason="engine",
    )


def default_threads() -> int:
    """Half of the cores this process may use: more are slower when anything else runs."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, cores // 2)


def slots_wanted(options: Mapping[str, Json]) -> int:
    """How many requests a model that is loaded with these options serves at a time."""
    return max(1, int(options.get("parallel") or 1))


def context_of(path: Path, options: Mapping[str, Json], *, shared_by: int = 1) -> int:
    """Tokens of one request; `shared_by` is how many of them share the usual number."""
    usual = CONTEXT if path.stat().st_size > SMALL else 2 * CONTEXT
    longest = int(options.get("longest") or CONTEXT)
    return int(options.get("context") or min(usual // shared_by, longest))


class LlamaModel:
    """A loaded model. `options` may hold `context` (tokens), `longest` (the most tokens that it was
    made for), `threads`, `lora` (adapters laid over it: `[path, scale]` each), `vectors` (true to
    make some), `parallel` (requests at a time, each with the whole context), and `name` (what
    answers call it; its path is nobody's business). Loading takes seconds and blocks; raises
    NotFound and ConfigError."""

    def __init__(self, path: Path, options: Mapping[str, Json]) -> None:
        check_file(path)
        adapters = [(Path(file), float(scale)) for file, scale in options.get("lora") or ()]
        if adapters:
            from llmctl.transport.lora import check_adapters

            check_adapters(adapters, path)
        engine = library()
        parameters = engine.CommonParams()
        parameters.lora_adapters = [
            engine.CommonAdapterLoraInfo(str(file), scale) for file, scale in adapters
        ]
        parameters.model.path = str(path)
        parameters.model_alias = {str(options.get("name") or path.stem)}
        self.vectors = bool(options.get("vectors"))
        shared_by = llama_vectors.SLOTS if self.vectors else 1
        self.context = context_of(path, options, shared_by=shared_by)
        # Requests go on in one computation, token by token. Each has its own part of the context:
        # one that all share is a little faster to load, and when it is full all of them fail.
        parameters.n_parallel = slots_wanted(options)
        parameters.n_ctx = self.context * parameters.n_parallel
        parameters.cont_batching, parameters.kv_unified = True, False
        if self.vectors:
            llama_vectors.prepare(engine, parameters, path, self.context)
        parameters.warmup = False
        parameters.verbosity = 0
        parameters.cache_ram_mib = PROMPT_CACHE_MB
        most = llama_vectors.cores() if self.vectors else default_threads()
        threads = int(options.get("threads") or most)
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        parameters.api_keys = [secrets.token_urlsafe(32)]
        parameters.cors_origins = "null"
        parameters.ui = parameters.endpoint_slots = parameters.endpoint_props = False
        try:
            self._server: Any = engine.Server(parameters)
        except (RuntimeError, ValueError):
            if adapters:
                raise ConfigError(
                    _("{path} cannot be loaded with its LoRA files: they are damaged, or were made"
                      " for another model", path=path),
                    hint=_("leave them out to see whether it is they: -o lora="),
                    reason="not-loadable",
                ) from None  # fmt: skip
            raise ConfigError(
                _("{path} cannot be loaded: it is damaged, of a kind that this version of"
                  " llama.cpp does not know, or larger than the memory", path=path),
                hint=_("load it with less context (llmctl config set local.context 2048), or pull"
                       " it again"),
                reason="not-loadable",
            ) from None  # fmt: skip

    def chat(self, body: Mapping[str, Json], on_chunk: OnChunk) -> Mapping[str, Json] | None:
        """Answer a request in the shape of chat completions; blocks. Streamed answers go to
        `on_chunk`, whole ones come back; errors are either, or a ValueError."""
        return self._answer(self._server.handle_chat_completions, body, on_chunk)

    def complete(self, body: Mapping[str, Json], on_chunk: OnChunk) -> Mapping[str, Json] | None:
        """The same in the shape of completions."""
        return self._answer(self._server.handle_completions, body, on_chunk)

    def count(self, body: Mapping[str, Json], _on_chunk: OnChunk) -> Mapping[str, Json] | None:
        """The tokens of a chat as the model reads it, in the shape of llama.cpp's own server.

        What is longer than the context is only cut into tokens and then refused with their number;
        the rest costs one token of an answer."""
        asked = {**body, "stream": False, "max_tokens": 0}
        answer: Mapping[str, Json] = self._server.handle_chat_completions(asked)
        error = answer.get("error") or {}
        total = error.get("n_prompt_tokens") or (answer.get("usage") or {}).get("prompt_tokens")
        return answer if total is None else {"input_tokens": total}

    def embed(self, body: Mapping[str, Json], _on_chunk: OnChunk) -> Mapping[str, Json]:
        """Answer a request in the shape of embeddings; the model was loaded with `vectors`."""
        return llama_vectors.answered(self._server.handle_embeddings, body, TOO_LONG)

    def _answer(
        self, handle: Any, body: Mapping[str, Json], on_chunk: OnChunk
    ) -> Mapping[str, Json] | None:
        answer: Mapping[str, Json] | None
        if body.get("stream"):
            answer = handle(dict(body), on_chunk)
        elif is_text(body):
            pieces = Pieces()

            def add(chunk: Mapping[str, Json]) -> bool:
                pieces.add(chunk)
                return on_chunk(chunk)

            in_pieces = {"stream": True, "stream_options": {"include_usage": True}}
            answer = handle({**body, **in_pieces}, add) or pieces.whole()
        else:
            answer = handle(dict(body))
        return answer

    def close(self) -> None:
        """Free the memory; nothing may be running on it."""
        self._server = None


def restore_signals() -> None:
    """Install Python's signal handlers again: some builds of the library put their own in their
    place while they load. Does nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        handler = signal.getsignal(number)
        if handler is not None:
            signal.signal(number, handler)
