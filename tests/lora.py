"""A LoRA adapter in GGUF form, written by hand, for the model that tests run (`tests.weights`).

The form is that of the GGUF specification (version 3) and of llama.cpp's adapters: for a weight W
of the model, `W.lora_a` has the shape (width in, rank) and `W.lora_b` (rank, width out), and what
comes of W is added to by alpha / rank x lora_b (lora_a x).
"""

import random
import struct
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path

WIDTH = 576  # of SmolLM2-135M
RANK = 2
LAYERS = (0, 8, 16, 24)
STRING, FLOAT = 8, 6  # codes of values
F32 = 0  # code of a tensor
ALIGNED = 32

ENTRIES: Mapping[str, str | float] = {
    "general.architecture": "llama",
    "general.type": "adapter",
    "general.name": "nonsense",
    "adapter.type": "lora",
    "adapter.lora.alpha": float(RANK),
}


def write_adapter(path: Path, **changed: str | float) -> Path:
    """An adapter that makes nonsense of every answer; `changed` are entries of its head, with `__`
    for a point."""
    entries = {**ENTRIES, **{name.replace("__", "."): value for name, value in changed.items()}}
    numbers = random.Random(5)
    tensors: dict[str, tuple[Sequence[int], array[float]]] = {}
    for layer in LAYERS:
        for side, shape in (("a", (WIDTH, RANK)), ("b", (RANK, WIDTH))):
            values = array("f", (numbers.uniform(-0.5, 0.5) for _one in range(WIDTH * RANK)))
            tensors[f"blk.{layer}.attn_output.weight.lora_{side}"] = (shape, values)
    path.write_bytes(_document(entries, tensors))
    return path


def _document(
    entries: Mapping[str, str | float], tensors: Mapping[str, tuple[Sequence[int], "array[float]"]]
) -> bytes:
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries)))
    for name, value in entries.items():
        head += _text(name)
        if isinstance(value, str):
            head += struct.pack("<I", STRING) + _text(value)
        else:
            head += struct.pack("<If", FLOAT, value)
    data = bytearray()
    for name, (shape, values) in tensors.items():
        head += _text(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}QIQ", *shape, F32, len(data))
        data += values.tobytes()
        data += bytes(-len(data) % ALIGNED)
    return bytes(head) + bytes(-len(head) % ALIGNED) + bytes(data)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded
