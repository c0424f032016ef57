"""How fast a text is searched for secrets and personal data before it is sent.

The whole default stack (secrets and every structured type), and secrets alone, over a megabyte of
several kinds of text; MB are bytes of UTF-8. Then what a prompt of twenty words pays.
"""

import random
import sys
import time

from benchmarks.harness import ROOT, Bar, arguments, cell, report
from llmctl.privacy.detect import find

SIZE = 1_000_000
LEAST_MB_S = 0.8
PROMPT = (
    "Why is the sky blue, and why does it turn red in the evening? Answer in two sentences, please."
)
LIMIT_MS = 1.0


def main() -> int:
    count: int = arguments(__doc__, 5).parse_args().rounds
    rows, bars = [], []
    for name, text in texts().items():
        size = len(text.encode()) / 1e6
        whole = [size / seconds(text, None) for _round in range(count)]
        secrets = [size / seconds(text, frozenset({"secret"})) for _round in range(count)]
        found = len(find(text))
        rows.append([name, f"{size:.1f}", str(found), cell(whole, 1, 1), cell(secrets, 1, 1)])
        # A bar is an upper limit: seconds a megabyte.
        bars.append(Bar(f"{name}, s/MB", [1 / one for one in whole], 1 / LEAST_MB_S, unit="s"))
    for kinds, said in ((None, "all types"), (frozenset({"secret"}), "secrets")):
        took = [min(seconds(PROMPT, kinds) for _try in range(50)) * 1e3 for _round in range(count)]
        bars.append(Bar(f"prompt of 20 words, {said}", took, LIMIT_MS, unit="ms"))
    head = ["text", "MB", "findings", "whole stack MB/s", "secrets alone MB/s"]
    return report("Searching before sending", count, head, rows, bars)


def seconds(text: str, types: frozenset[str] | None) -> float:
    begun = time.process_time()
    find(text, types=types)
    return time.process_time() - begun


def texts() -> dict[str, str]:
    """About a megabyte each, the same in every run."""
    chance = random.Random(1)
    english = "the quick brown fox jumps over a lazy dog and then goes home to sleep"
    russian = "вчера мы долго шли по улице и говорили о том что будет завтра"
    code = "".join(path.read_text("utf-8") for path in sorted((ROOT / "llmctl").rglob("*.py")))
    lines = [
        f'{{"time":"2026-11-25T10:{n % 60:02}:{n % 59:02}Z","id":{n * 7919},"ms":{n % 977},'
        f'"ip":"10.0.{n % 250}.{n % 249}","path":"/v1/items/{n * 31}","status":200}}\n'
        for n in range(12_000)
    ]
    people = [
        f"{n};Иванов Иван;ivan{n}@example.com;+7 916 {n % 900 + 100}-{n % 90 + 10}-45;"
        f"{7707083893 if n % 3 else 7736050003}\n"
        for n in range(12_000)
    ]
    return {
        "English prose": sentences(english.split(), chance),
        "Russian prose": sentences(russian.split(), chance),
        "code": (code * (SIZE // len(code) + 1))[:SIZE],
        "log, JSON lines": "".join(lines),
        "table of people": "№;имя;почта;телефон;инн\n" + "".join(people),
        "numbers": " ".join(str(chance.randrange(10**6)) for _one in range(SIZE // 7)),
        "base64": "".join(chance.choices("ABCDEFGHIJabcdefghij0123456789+/", k=SIZE)),
    }


def sentences(words: list[str], chance: random.Random) -> str:
    told, size = [], 0
    while size < SIZE:
        said = " ".join(chance.choices(words, k=12)).capitalize() + ". "
        told.append(said)
        size += len(said.encode())
    return "".join(told)


if __name__ == "__main__":
    sys.exit(main())
