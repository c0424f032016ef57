"""The flags of `batch run`: what cannot be meant, the files they lead to, how a job is repeated."""

from pathlib import Path
from typing import Any

import pytest

from llmctl.cli.batch_asked import BatchAsked, repeated
from llmctl.cli.batch_files import Paths, input_of, paths_of, resume_command
from llmctl.errors import LlmctlError, UsageError


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({}, "where are the answers to go"),
        ({"output": "out.txt"}, "does not tell the format"),
        ({"output": "out.jsonl.gz"}, "does not tell the format"),
        ({"output": "out.jsonl", "restart": True, "only_new": True}, "exclude one another"),
        ({"output": "-", "restart": True}, "--restart needs a file"),
        ({"output": "-", "only_new": True}, "--only-new needs a file"),
        ({"output": "-", "ordered": True}, "--ordered needs a file"),
        ({"output": "out.jsonl", "json": True}, "--json goes with --dry-run"),
        ({"output": "out.jsonl", "engine": "dask"}, "--engine does not know dask"),
        ({"output": "out.jsonl", "param": ["x"]}, "x"),
        ({"output": "out.jsonl", "attachment_type": "image/png"}, "attach one with -a"),
        ({"output": "out.jsonl", "fetch": True, "attachments": "f"}, "attach one with -a"),
    ],
)
def test_flags_that_cannot_be_meant(flags: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        BatchAsked(**flags).check()


@pytest.mark.parametrize(
    "flags",
    [
        {"dry_run": True},
        {"dry_run": True, "json": True},
        {"output": "-"},
        {"output": "out"},
        {"output": "OUT.CSV"},
        {"output": "out.ndjson", "ordered": True},
        {"output": "out.pq", "on_pii": "local"},
        {"output": "out.jsonl", "on_pii": "local/smollm2-135m", "restart": True},
        {"output": "folder", "engine": "ray"},
        {"output": "out.jsonl", "attachments": "files", "attachment_type": "image/png"},
    ],
)
def test_flags_that_can(flags: dict[str, Any]) -> None:
    BatchAsked(**flags).check()


@pytest.mark.parametrize(
    ("output", "form"),
    [("a.jsonl", "jsonl"), ("a", "jsonl"), ("-", "jsonl"), ("a.csv", "csv"), ("a.TSV", "tsv"),
     ("a.parquet", "parquet"), ("a.pq", "parquet")],
)  # fmt: skip
def test_the_form_is_told_by_the_ending(output: str, form: str) -> None:
    assert BatchAsked(output=output).shown_as == form


def test_columns_that_are_carried_along() -> None:
    assert BatchAsked(columns=" a,b ,, a,c d").carried == ("a", "b", "c d")
    assert BatchAsked().carried == ()


def test_who_has_private_rows_answered_here_wants_them_looked_for() -> None:
    asked = BatchAsked(output="out.jsonl", on_pii="local")

    assert asked.settings_flags()["policy.pii"] == "local-only"
    assert asked.spelt()["policy.pii"] == "--on-pii"
    assert "policy.pii" not in BatchAsked(output="out.jsonl").settings_flags()


def test_a_job_is_repeated_by_what_it_asked() -> None:
    first = BatchAsked(
        input="in.csv", output="out.jsonl", model="a/m", column="q", fallback=["b/n"], limit=3,
        restart=True, summary="s.json", grace=1.0, quiet=True, concurrency=4,
    )  # fmt: skip
    saved = first.again()

    assert dict(saved) == {
        "input": "in.csv", "model": "a/m", "column": "q", "fallback": ["b/n"], "limit": 3,
        "concurrency": 4,
    }  # fmt: skip
    again = repeated(saved, output="out.jsonl", concurrency=9)
    assert (again.model, again.concurrency, again.restart) == ("a/m", 9, False)
    assert repeated({"flag_of_tomorrow": 1, "model": "a/m"}).model == "a/m"


# ---- files


@pytest.mark.parametrize(
    ("output", "errors", "journal", "rows"),
    [
        ("out.jsonl", "out.errors.jsonl", "out.jsonl.journal", "out.jsonl"),
        ("out.csv", "out.csv.errors.jsonl", "out.csv.journal", "out.csv.part"),
        ("out", "out.errors.jsonl", "out.journal", "out"),
        ("a.b.jsonl", "a.b.errors.jsonl", "a.b.jsonl.journal", "a.b.jsonl"),
        (
            "out.parquet",
            "out.parquet.errors.jsonl",
            "out.parquet.journal",
            "out.parquet.part",
        ),
        ("out.ndjson", "out.ndjson.errors.jsonl", "out.ndjson.journal", "out.ndjson"),
    ],
)
def test_the_files_of_a_job(output: str, errors: str, journal: str, rows: str) -> None:
    paths = paths_of(BatchAsked(output=output), output)

    assert paths.output == Path.cwd() / output
    assert (paths.errors.name, paths.journal.name, paths.rows.name) == (errors, journal, rows)
    assert {one.parent for one in (paths.errors, paths.journal, paths.rows)} == {Path.cwd()}


def test_what_is_in_order_is_written_elsewhere_first() -> None:
    assert paths_of(BatchAsked(output="o.jsonl", ordered=True), "o.jsonl").rows.name == (
        "o.jsonl.part"
    )
    assert not Paths(Path("/a/o.jsonl"), working=False).working


def test_the_state_of_an_input(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"x" * 3_000_000)
    before = input_of(str(path))
    assert (before["path"], before["size"]) == (str(path), 3_000_000)
    path.write_bytes(b"x" * 2_999_999 + b"y")  # neither its size nor its beginning tells

    assert input_of(str(path))["digest"] != before["digest"]
    path.write_bytes(b"x" * 3_000_000)
    assert input_of(str(path)) == before


@pytest.mark.parametrize("source", [None, "hf://datasets/a/b"])
def test_of_a_stream_nothing_is_known(source: str | None) -> None:
    assert input_of(source) == {"path": source, "digest": None, "size": None}


@pytest.mark.parametrize("source", ["nowhere.jsonl", "."])
def test_an_input_that_cannot_be_read(source: str, tmp_path: Path) -> None:
    with pytest.raises(LlmctlError) as caught:
        input_of(str(tmp_path / source))
    assert caught.value.exit_code != 1


def test_the_command_that_goes_on_does_not_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["x", "batch", "run", "in put.jsonl", "--restart", "--output", "o.jsonl", "--only-new"]
    monkeypatch.setattr("sys.argv", given)

    assert resume_command() == "llmctl batch run 'in put.jsonl' --output o.jsonl"
