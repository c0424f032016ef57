"""Rows into sets as large as a provider takes them, and what is kept of each row."""

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from llmctl import settings
from llmctl.batch.native import NativeFiles, NativeJob, Part, Stage
from llmctl.batch.native_answers import ended
from llmctl.batch.native_handing import Handing, Ready, Store, Unfit
from llmctl.batch.native_rows import Rows
from llmctl.dialects.batches import Batches, Gone, Result
from llmctl.engine.batches import InDoubt, Intent
from llmctl.engine.offered import by_batch, offered
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.errors import ConfigError, Rejected
from llmctl.privacy.screening import Screened
from llmctl.types import Chat, Role, message
from llmctl.values import NOTHING, replace
from tests.e2e.harness import KEY


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind.lower()))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def route_of(name: str = "openai/mock", **limits: Any) -> Route:
    route = resolve(name, settings.load())
    route = by_batch(route, offered(route))
    card = replace(route.card, limits=replace(route.card.limits, **limits))
    return replace(route, card=card)


class Taken:
    """In place of a provider: takes sets, and remembers what was in their files and on disk."""

    def __init__(self, files: NativeFiles, error: Exception | None = None) -> None:
        self.sets: list[bytes] = []
        self.stages: list[list[str]] = []
        self._files = files
        self._error = error

    async def handed_in(self, file: Any, kind: str, key: str, rows: int, intend: Any) -> str:
        intend(Intent(key=key, rows=rows, since=5.0))
        job = self._files.read()
        assert job is not None
        self.stages.append([one.stage for one in job.parts])
        if self._error is not None:
            raise self._error
        self.sets.append(read(file.path))
        assert file.size == len(self.sets[-1])
        return f"b{len(self.sets)}"


def read(path: str) -> bytes:
    return Path(path).read_bytes()


def hand_in(
    folder: Path, route: Route, prompts: list[str], error: Exception | None = None
) -> tuple[Taken, Store, list[Exception]]:
    files = NativeFiles(folder / "out.jsonl")
    store = Store(files, NativeJob(provider=route.provider))
    taken = Taken(files, error)
    batches = offered(route)
    assert isinstance(batches, Batches)
    names = iter(f"k{number}" for number in range(1, 99))
    handing = Handing(
        store, batches, taken, settings.load(),  # type: ignore[arg-type]  # as far as it is asked
        new=lambda: next(names), tell=lambda _note: None,
    )  # fmt: skip
    unfit: list[Exception] = []

    async def run() -> None:
        try:
            for line, prompt in enumerate(prompts, 1):
                call = Chat("mock", (message(Role.USER, prompt),), stream=False)
                screened = Screened(call=call, before=call)
                ready = Ready(line=line, id=f"r{line}", route=route, call=call,
                              screened=screened, columns=NOTHING)  # fmt: skip
                try:
                    await handing.add(ready)
                except Unfit as one:
                    unfit.append(one.error)
            await handing.finish()
        finally:
            handing.close()

    asyncio.run(run())
    return taken, store, unfit


def ids(data: bytes) -> list[str]:
    return [json.loads(line)["custom_id"] for line in data.splitlines()]


def test_as_many_rows_as_a_set_holds(tmp_path: Path) -> None:
    taken, store, _unfit = hand_in(tmp_path, route_of(batch_rows=2), list("abcde"))

    assert [ids(one) for one in taken.sets] == [["k1-1", "k1-2"], ["k2-3", "k2-4"], ["k3-5"]]
    assert [(one.rows, one.stage, one.job) for one in store.job.parts] == [
        (2, Stage.HANDED_IN, "b1"), (2, Stage.HANDED_IN, "b2"), (1, Stage.HANDED_IN, "b3"),
    ]  # fmt: skip
    # Each set was written down before the request that made it.
    assert [one[-1] for one in taken.stages] == ["intended"] * 3


def test_as_many_bytes_as_a_set_holds(tmp_path: Path) -> None:
    """To the byte: two lines with what stands around them, and not one byte less."""
    taken, _store, _unfit = hand_in(tmp_path / "a", route_of(), ["a", "b"])
    [whole] = taken.sets

    fits, _store, _unfit = hand_in(tmp_path / "b", route_of(batch_bytes=len(whole)), ["a", "b"])
    less, _store, _unfit = hand_in(tmp_path / "c", route_of(batch_bytes=len(whole) - 1), ["a", "b"])

    assert (len(fits.sets), len(less.sets)) == (1, 2)
    assert all(len(one) < len(whole) for one in less.sets)


def test_one_body_for_all_rows(tmp_path: Path) -> None:
    taken, _store, _unfit = hand_in(
        tmp_path, route_of("anthropic/mock", batch_rows=3), list("abcd")
    )

    bodies = [json.loads(one) for one in taken.sets]
    assert [len(one["requests"]) for one in bodies] == [3, 1]
    assert bodies[0]["requests"][0]["custom_id"] == "k1-1"


def test_a_row_that_is_larger_than_a_set(tmp_path: Path) -> None:
    taken, store, unfit = hand_in(tmp_path, route_of(batch_bytes=300), ["a", "x" * 300, "b"])

    assert len(unfit) == 1
    assert "300" in str(unfit[0])
    assert sum(len(ids(one)) for one in taken.sets) == 2
    assert [one.key for one in store.job.parts] == ["k1"]


def test_a_set_that_was_refused_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Rejected):
        hand_in(tmp_path, route_of(), ["a"], Rejected("no"))

    files = NativeFiles(tmp_path / "out.jsonl")
    found = files.read()
    assert found is not None
    assert found.parts == ()
    assert list(files.folder.iterdir()) == []


def test_a_set_in_doubt_stays_written_down(tmp_path: Path) -> None:
    with pytest.raises(InDoubt):
        hand_in(tmp_path, route_of(), ["a"], InDoubt("?"))

    files = NativeFiles(tmp_path / "out.jsonl")
    found = files.read()
    assert found is not None
    [part] = found.parts
    assert (part.stage, part.since) == (Stage.INTENDED, 5.0)
    assert [one.name for one in files.folder.iterdir()] == ["k1.rows.jsonl"]


def test_the_files_are_for_their_owner(tmp_path: Path) -> None:
    before = stat.S_IMODE(tmp_path.stat().st_mode)
    _taken, store, _unfit = hand_in(tmp_path, route_of(), ["a"])

    files = store.files
    assert stat.S_IMODE(files.state.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(files.rows("k1").stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == before  # which is the user's


def test_the_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    files = NativeFiles(tmp_path / "out.jsonl")
    part = Part(key="k", requested="m", kind="x", rows=3, spent={"USD": "0.1"}, reserved=7)
    job = NativeJob(id="1", provider="p", parts=(part,))
    files.write(job)
    assert files.read() == job

    files.state.write_text('{"version": 99}')
    with pytest.raises(ConfigError):
        files.read()


@pytest.mark.parametrize(
    ("id", "line"),
    [("k-1-17", 17), ("k-1-x", None), ("k-2-17", None), ("17", None), ("k-1-", None),
     ("k-1-١", None)],
)  # fmt: skip
def test_ids_of_our_own(id: str, line: int | None) -> None:
    assert Part(key="k-1", requested="m", kind="", rows=1).line_of(id) == line


# ---- answers


def row(folder: Path, result: Any) -> Any:
    route = route_of()
    _taken, store, _unfit = hand_in(folder, route, ["a"])
    rows = Rows(store.files.rows("k1"))
    return ended(rows[1], rows.shapes[0], route, result, "2026-11-23T10:00:00Z")


ANSWER: Any = {
    "id": "c1", "model": "mock", "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
}  # fmt: skip


def test_an_answer_is_read_by_the_decoder_of_any_other(tmp_path: Path) -> None:
    found = row(tmp_path, Result(id="k1-1", body=ANSWER))

    receipt = found.receipt
    assert (found.id, found.line) == ("r1", 1)
    assert (receipt.text, receipt.usage.output_tokens, receipt.error) == ("Hi", 2, None)
    assert receipt.started_at == "2026-11-23T10:00:00Z"
    assert receipt.latency.total_s is None


def test_an_answer_that_was_cut(tmp_path: Path) -> None:
    choice = {**ANSWER["choices"][0], "finish_reason": "length"}
    found = row(tmp_path, Result(id="k1-1", body={**ANSWER, "choices": [choice]}))
    assert found.receipt.error.code == "incomplete"


@pytest.mark.parametrize(
    ("result", "code", "reason"),
    [
        (Result(id="k1-1", gone=Gone.EXPIRED), "provider-error", "expired"),
        (
            Result(id="k1-1", status=429, body={"error": {"message": "slow"}}),
            "rate-limited",
            "rate",
        ),
        (Result(id="k1-1", status=400, body={"error": {"message": "no"}}), "rejected", None),
        (Result(id="k1-1", body={"choices": []}), "provider-error", "no-answer"),
        (Result(id="k1-1", body=None), "provider-error", "no-answer"),
        (Rejected("all of it"), "rejected", None),
    ],
)
def test_what_is_no_answer(tmp_path: Path, result: Any, code: str, reason: str | None) -> None:
    error = row(tmp_path, result).receipt.error
    assert (error.code, error.reason, error.provider) == (code, reason, "openai")
