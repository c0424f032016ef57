"""What the tests of `llmctl batch` share: one job of a few rows, and how it is started."""

import json
from pathlib import Path
from typing import Any

from tests.batches import errors_of, lines, write_rows
from tests.e2e.harness import Llmctl, Result, Running

MODEL = "openai/mock"


class Job:
    """A job in the home of a run: `in.jsonl` to `out.jsonl`, unless a test says otherwise."""

    def __init__(self, llmctl: Llmctl, model: str = MODEL) -> None:
        self.llmctl = llmctl
        self.model = model
        self.input = llmctl.home / "in.jsonl"
        self.output = llmctl.home / "out.jsonl"

    def rows(self, count: int, **more: Any) -> "Job":
        write_rows(self.input, count, **more)
        return self

    def documents(self, *rows: Any) -> "Job":
        """These rows and no others."""
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        self.input.write_text(text, encoding="utf-8")
        return self

    def arguments(self, *more: str) -> tuple[str, ...]:
        model = () if "-m" in more or not self.model else ("-m", self.model)
        return ("batch", "run", str(self.input), "--output", str(self.output), *model, *more)

    def run(self, *more: str, **how: Any) -> Result:
        return self.llmctl.run(*self.arguments(*more), **how)

    def start(self, *more: str, **how: Any) -> Running:
        return self.llmctl.start(*self.arguments(*more), **how)

    def other(self, command: str, *more: str) -> Result:
        """`status`, `retry` or `report` of this job."""
        return self.llmctl.run("batch", command, str(self.output), *more)

    @property
    def answers(self) -> list[Any]:
        return list(lines(self.output))

    @property
    def failures(self) -> list[Any]:
        return list(lines(errors_of(self.output)))

    def by_id(self) -> dict[str, Any]:
        """Text of each row that was answered, code of the error of each that was not."""
        found = {one["row"]["id"]: one["text"] for one in self.answers}
        return found | {one["row"]["id"]: one["error"]["code"] for one in self.failures}

    def files(self) -> set[str]:
        """What lies in the home beside the input."""
        return {path.name for path in self.llmctl.home.iterdir()} - {self.input.name}


def wait_until(condition: Any, running: Running, seconds: float = 20.0) -> None:
    """Until something is so; raises TimeoutError, or AssertionError when the run ends before."""
    import time

    end = time.monotonic() + seconds
    while not condition():
        if running.process.poll() is not None and not condition():
            raise AssertionError(f"it ended with {running.process.returncode} before that")
        if time.monotonic() > end:
            raise TimeoutError("it did not come to that")
        time.sleep(0.002)


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
