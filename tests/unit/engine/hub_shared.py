"""What tests of the Hub share: it, with a token of nobody, and settings that lead to it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.hub import Hub, serving
from tests.hub_models import Repo

GGUF = b"GGUF" + bytes(range(251)) * 400  # about 100 kB

TINY = Repo(
    "org/tiny-GGUF",
    {
        "README.md": b"# Tiny",
        "tiny-Q4_K_M.gguf": GGUF,
        "tiny-Q8_0.gguf": GGUF * 2,
        "mmproj-F16.gguf": GGUF,
        "BF16/tiny-BF16-00001-of-00002.gguf": GGUF + b"1",
        "BF16/tiny-BF16-00002-of-00002.gguf": GGUF + b"22",
    },
    tags=("gguf", "license:mit", "en"),
    card={"license": "mit", "base_model": "org/tiny", "language": ["en", "ru"]},
    gguf={"total": 1_777_088_000, "architecture": "qwen2", "context_length": 32_768},
    downloads=1234,
)


@contextmanager
def reached(hub: Hub, patched: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        patched.delenv(name, raising=False)
    with serving(hub) as one:
        patched.setenv("HF_ENDPOINT", one.url)
        yield one
