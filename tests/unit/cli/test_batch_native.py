"""What `batch submit --dry-run` says, and what is refused, without a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmctl.batch.sharding import Shard
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_native_submit import submitted
from llmctl.errors import UsageError
from tests.unit.cli.batches import run, write


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LANGUAGE", "en")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def what_if(capsys: pytest.CaptureFixture[str], **flags: Any) -> str:
    submitted(BatchAsked(input="in.jsonl", dry_run=True, **flags))
    return capsys.readouterr().out


def as_json(capsys: pytest.CaptureFixture[str], **flags: Any) -> Any:
    return json.loads(what_if(capsys, json=True, **flags))


def test_the_shard_alone_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    write(*map(str, range(40)))
    of_shard = sum(Shard(2, 3).has(str(line)) for line in range(1, 41))
    assert 0 < of_shard < 40

    whole = as_json(capsys, model="openai/gpt-6-luna")
    part = as_json(capsys, model="openai/gpt-6-luna", shard="2/3")

    assert (whole["rows"], part["rows"]) == (40, of_shard)
    assert part["bytes"] < whole["bytes"]
    assert part["input_tokens"] < whole["input_tokens"]
    others = [as_json(capsys, model="openai/gpt-6-luna", shard=f"{n}/3")["rows"] for n in (1, 3)]
    assert sum(others) + of_shard == 40


def test_for_people_a_line_for_each_thing(capsys: pytest.CaptureFixture[str]) -> None:
    write("a", "b")
    said = what_if(capsys, model="openai/gpt-6-luna").splitlines()

    assert said[0].startswith("model")
    assert "openai/gpt-6-luna at api.openai.com" in said[0]
    assert [line.split()[0] for line in said] == ["model", "rows", "batches", "size", "tokens",
                                                  "cost"]  # fmt: skip
    assert (said[1].split(), said[2].split()) == (["rows", "2"], ["batches", "1"])
    assert said[-1].endswith(" USD")


def test_a_cost_that_nobody_knows_is_unknown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMCTL_PROVIDERS__GIGACHAT__SCOPE", "GIGACHAT_API_CORP")
    write("a")

    assert what_if(capsys, model="gigachat/GigaChat-2").splitlines()[-1].split() == [
        "cost", "unknown",
    ]  # fmt: skip


def test_a_row_that_cannot_be_is_told_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    write("a", first="not json\n")
    submitted(BatchAsked(input="in.jsonl", dry_run=True, model="openai/gpt-6-luna"))

    told = capsys.readouterr()
    assert "rows     1" in told.out
    assert "cannot be handed in: 1; the first, line 1: " in told.err


def test_who_sends_its_rows_one_by_one_does_not_hand_them_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k" * 20)
    write("a")
    run(model="openai/gpt-6-luna")

    with pytest.raises(UsageError, match="one by one") as caught:
        submitted(BatchAsked(input="in.jsonl", output="out.jsonl", model="openai/gpt-6-luna"))
    assert caught.value.reason == "changed"
