"""A real llama.cpp server over HTTP, as a process of its own: `python -m tests.llama_server FILE`.

The key comes in the environment, the address goes to standard output, and the server lives until
its standard input ends, so that it never outlives the tests that started it.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NAME = "smol"
CONTEXT = 512
KEY = "LLAMA_SERVER_KEY"
# Without these its threads wait in busy loops, which is thirty times slower on a busy machine.
CALM = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """Where it listens, without a slash at the end, and the key it wants."""

    url: str
    key: str

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"


@contextmanager
def llama_server(weights: Path, *, vectors: bool = False) -> Iterator[LlamaServer]:
    """A server with one slot of CONTEXT tokens, on a port that the system chose. With `vectors` it
    makes those, too, each the mean of those of a text's tokens."""
    key = secrets.token_urlsafe(24)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.llama_server", str(weights), *(["vectors"] * vectors)],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, **CALM, KEY: key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        url = process.stdout.readline().decode().strip()
        assert url.startswith("http://127.0.0.1:"), url
        yield LlamaServer(url, key)
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def serve(weights: str, *, vectors: bool) -> None:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights
    parameters.model_alias = {NAME}
    parameters.n_ctx = CONTEXT
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.cache_ram_mib = 64
    parameters.warmup = False
    parameters.verbosity = 0
    if vectors:
        parameters.embedding = True
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    parameters.port = 0
    parameters.api_keys = [os.environ[KEY]]
    parameters.cors_origins = "null"
    parameters.ui = False
    parameters.endpoint_slots = True  # who is being served is what some tests look at
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # the library may be in the middle of an answer that nobody waits for


if __name__ == "__main__":
    serve(sys.argv[1], vectors="vectors" in sys.argv)
