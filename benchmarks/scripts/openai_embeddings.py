"""What one writes with the official package: `python openai_embeddings.py URL TEXTS OUTPUT SIZE
FLIGHT [jsonl]`; raw floats in the order of the texts, or a line of JSON each."""

import asyncio
import json
import sys
from array import array
from pathlib import Path

from openai import AsyncOpenAI

URL, TEXTS, OUTPUT = sys.argv[1], sys.argv[2], sys.argv[3]
SIZE, FLIGHT = int(sys.argv[4]), int(sys.argv[5])
LINES = "jsonl" in sys.argv


async def asked(texts: list[str]) -> list[list[list[float]]]:
    client = AsyncOpenAI(base_url=URL, api_key="sk-" + "mock")
    turns = asyncio.Semaphore(FLIGHT)

    async def ask(batch: list[str]) -> list[list[float]]:
        async with turns:
            answer = await client.embeddings.create(model="mock", input=batch)
        return [one.embedding for one in answer.data]

    return await asyncio.gather(*(ask(texts[at : at + SIZE]) for at in range(0, len(texts), SIZE)))


def main() -> None:
    texts = Path(TEXTS).read_text(encoding="utf-8").splitlines()
    found = asyncio.run(asked(texts))
    with Path(OUTPUT).open("wb") as file:
        for rows in found:
            for row in rows:
                if LINES:
                    file.write(json.dumps({"embedding": row}).encode() + b"\n")
                else:
                    file.write(array("f", row).tobytes())


main()
