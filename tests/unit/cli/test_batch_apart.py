"""What a job reads is never what it writes, by whatever name."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from llmctl.cli.batch_apart import check_apart, check_not_own, from_anywhere
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_files import paths_of
from llmctl.cli.batch_looks import reported
from llmctl.errors import UsageError
from tests.unit.cli.batches import left, run, write


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for kind in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{kind}_DIR", str(tmp_path / kind))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def check(**flags: Any) -> None:
    asked = BatchAsked(**{"output": "out.jsonl", "model": "a/m", **flags})
    check_apart(asked, paths_of(asked, str(asked.output)))


# ---- what is read


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("out.jsonl", "out.jsonl"),
        ("./out.jsonl", "out.jsonl"),
        ("out.errors.jsonl", "out.jsonl"),
        ("out.csv.errors.jsonl", "out.csv"),
        ("out.csv.part", "out.csv"),
        ("out.jsonl.part", "out.jsonl"),
        ("out.jsonl.journal", "out.jsonl"),
        ("out.jsonl.journal-wal", "out.jsonl"),
        ("out.jsonl.journal.lock", "out.jsonl"),
        ("out.jsonl.batch.json", "out.jsonl"),
    ],
)
@pytest.mark.parametrize("flag", ["input", "attachment", "schema", "redact_names"])
def test_a_file_of_the_job_is_not_read_by_it(name: str, output: str, flag: str) -> None:
    Path(name).write_text("precious")
    given = [name] if flag == "attachment" else name
    with pytest.raises(UsageError) as caught:
        check(output=output, **{flag: given})

    assert caught.value.reason == "same-file"
    assert caught.value.hint == "name another file after --output"


@pytest.mark.parametrize("make", [os.symlink, os.link])
@pytest.mark.parametrize("linked", ["input", "output"])
def test_another_name_of_the_file_is_no_other_file(make: Any, linked: str) -> None:
    Path("rows.jsonl").write_text("precious")
    make("rows.jsonl", "link.jsonl")
    names = ("link.jsonl", "rows.jsonl") if linked == "input" else ("rows.jsonl", "link.jsonl")
    with pytest.raises(UsageError):
        check(input=names[0], output=names[1])


def test_a_template_that_is_a_file_is_one_that_is_read() -> None:
    Path("out.jsonl").write_text("prompt = 'x'")
    with pytest.raises(UsageError):
        check(template="./out.jsonl")
    check(template="out")


def test_files_of_others_are_fine() -> None:
    for name in ("in.jsonl", "a.png", "schema.json", "out.errors.jsonl"):
        Path(name).write_text("x")
    check(input="in.jsonl", attachment=["a.png", "https://a.test/b.png", "-"],
          schema="schema.json", summary="s.json")  # fmt: skip
    check(input="-", schema='{"type": "object"}')
    check(input="hf://datasets/a/b")
    check(input="out.errors.jsonl", output="again.jsonl")
    check(input="/dev/null", summary="/dev/null")


@pytest.mark.parametrize("restart", [False, True])
def test_the_input_stays_as_it_was(folder: Path, restart: bool) -> None:
    write("a", "b")
    before = Path("in.jsonl").read_bytes()
    with pytest.raises(UsageError, match="would be written over"):
        run(output="in.jsonl", restart=restart)

    assert Path("in.jsonl").read_bytes() == before
    assert left(folder) == {"in.jsonl"}


# ---- the summary, the report


@pytest.mark.parametrize(
    "summary", ["in.jsonl", "out.jsonl", "out.errors.jsonl", "out.jsonl.part", "out.jsonl.journal"]
)
def test_the_summary_is_a_file_of_its_own(summary: str) -> None:
    Path("in.jsonl").write_text("x")
    with pytest.raises(UsageError) as caught:
        check(input="in.jsonl", summary=summary)

    assert caught.value.hint == "name another file after --summary"


def test_so_is_the_report(folder: Path) -> None:
    write("a")
    run()
    before = Path("out.jsonl").read_bytes()
    os.symlink("out.jsonl", "page.html")
    with pytest.raises(UsageError, match=r"page\.html is a file of the job itself"):
        reported("out.jsonl", "page.html")

    assert Path("out.jsonl").read_bytes() == before
    check_not_own("-", paths_of(BatchAsked(), "out.jsonl"), "--output")


# ---- from another folder


def test_flags_that_name_files_lead_there_from_any_folder(folder: Path) -> None:
    Path("t.toml").write_text("prompt = 'x'")
    asked = BatchAsked(
        attachment=["a.png", "-", "https://a.test/b.png"], schema="s.json", template="t.toml",
        redact_names="names.txt",
    )  # fmt: skip
    wanted = {
        "attachment": [str(folder / "a.png"), "-", "https://a.test/b.png"],
        "schema": str(folder / "s.json"),
        "template": str(folder / "t.toml"),
        "redact_names": str(folder / "names.txt"),
    }

    assert from_anywhere(asked) == wanted
    assert {**asked.again()} == wanted


def test_what_is_no_file_stays_as_it_was_given() -> None:
    schema = json.dumps({"type": "object"})
    asked = BatchAsked(schema=schema, template="translate", model="a/m")

    assert from_anywhere(asked) == {}
    assert asked.again() == {"schema": schema, "template": "translate", "model": "a/m"}
    assert from_anywhere(BatchAsked(template="{{ input }}/x")) == {}
