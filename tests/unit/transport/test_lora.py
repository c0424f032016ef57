"""The head of GGUF files, and which of them can be laid over a model as an adapter."""

import struct
from pathlib import Path
from typing import Any

import pytest

from llmctl.errors import ConfigError, LlmctlError, NotFound
from llmctl.transport.gguf import NoHead, head
from llmctl.transport.lora import check_adapters
from tests.lora import write_adapter


def gguf(*entries: bytes, version: int = 3, count: int | None = None) -> bytes:
    number = len(entries) if count is None else count
    return b"GGUF" + struct.pack("<IQQ", version, 0, number) + b"".join(entries)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def model(path: Path, architecture: str = "llama") -> Path:
    path.write_bytes(gguf(entry("general.architecture", 8, text(architecture))))
    return path


def test_entries_of_every_kind_are_passed_over(tmp_path: Path) -> None:
    numbers = [(0, "B", 1), (1, "b", -1), (2, "H", 2), (3, "h", -2), (4, "I", 3), (5, "i", -3)]
    numbers += [(7, "?", True), (10, "Q", 4), (11, "q", -4)]
    small = [entry(f"n{kind}", kind, struct.pack(f"<{form}", one)) for kind, form, one in numbers]
    words = struct.pack("<IQ", 8, 2) + text("a") + text("bc")
    floats = struct.pack("<IQ3f", 6, 3, 1.0, 2.0, 3.0)
    path = tmp_path / "a.gguf"
    path.write_bytes(
        gguf(
            *small,
            entry("half", 6, struct.pack("<f", 0.5)),
            entry("double", 12, struct.pack("<d", 0.25)),
            entry("words", 9, words),
            entry("floats", 9, floats),
            entry("last", 8, text("ё")),
        )
    )

    found = head(path, ("n1", "n7", "n10", "half", "double", "words", "last", "absent"))

    assert found == {
        "n1": -1, "n7": True, "n10": 4, "half": 0.5, "double": 0.25, "words": None, "last": "ё",
    }  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGU",
        b"PK\x03\x04" + bytes(64),
        gguf(version=1),
        gguf(count=1 << 40),
        gguf(count=3),  # it ends before its second entry
        gguf(struct.pack("<Q", 1 << 60)),  # a name that no memory holds
        gguf(entry("a", 99, bytes(8)), entry("b", 4, bytes(4))),
        gguf(entry("a", 9, struct.pack("<IQ", 9, 1)), entry("b", 4, bytes(4))),
        gguf(entry("a", 9, struct.pack("<IQ", 8, 1 << 60))),
        gguf(entry("a", 8, text("abc"))[:-1], count=1),
    ],
)
def test_what_is_no_head(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(data)

    with pytest.raises(NoHead):
        head(path, ("general.type",))


def test_an_adapter_for_the_model_is_taken(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "a.gguf")

    check_adapters([(adapter, 1.0), (adapter, 0.5)], model(tmp_path / "m.gguf"))


@pytest.mark.parametrize(
    ("changed", "kind", "reason"),
    [
        ({"general__type": "model"}, ConfigError, "not-an-adapter"),
        ({"adapter__type": "control_vector"}, ConfigError, "not-an-adapter"),
        ({"general__architecture": "gemma3"}, ConfigError, "other-architecture"),
        (None, NotFound, "weights"),
        (b"not an adapter", ConfigError, "not-gguf"),
        (b"GGUF\x03", ConfigError, "not-gguf"),
        ("folder", ConfigError, None),
    ],
)
def test_what_cannot_be_laid_over_it(
    tmp_path: Path, changed: Any, kind: type[LlmctlError], reason: str | None
) -> None:
    path = tmp_path / "a.gguf"
    match changed:
        case dict():
            write_adapter(path, **changed)
        case bytes():
            path.write_bytes(changed)
        case "folder":
            path.mkdir()

    with pytest.raises(kind, match=str(path)) as caught:
        check_adapters([(path, 1.0)], model(tmp_path / "m.gguf"))

    assert caught.value.reason == reason


def test_a_model_that_says_nothing_of_itself_is_left_to_the_library(tmp_path: Path) -> None:
    broken = tmp_path / "m.gguf"
    broken.write_bytes(b"GGUF")

    check_adapters([(write_adapter(tmp_path / "a.gguf"), 1.0)], broken)
