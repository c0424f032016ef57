"""Outputs that are made of the working file: in the order of the input, and as Parquet."""

import os
import random
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from llmctl.errors import IoFailed
from llmctl.output.batch_final import write_ordered, write_parquet, write_table
from llmctl.output.batch_rows import csv_header, csv_line, row_line
from llmctl.values import replace
from tests.unit.output.batches import HOSTILE, answered, hopped
from tests.unit.output.shared import FULL


def laid(path: Path, lines: list[bytes]) -> list[tuple[int, int]]:
    """Write the lines; where each stands."""
    path.write_bytes(b"".join(lines))
    ends = [sum(len(one) for one in lines[: at + 1]) for at in range(len(lines))]
    return [(end - len(line), len(line)) for end, line in zip(ends, lines, strict=True)]


def test_rows_come_in_the_order_of_their_places(tmp_path: Path) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.csv"
    places = laid(source, [b"two\n", b"three\n", b"one\n"])

    write_ordered(source, [places[2], places[0], places[1]], goal, b"name\r\n")

    assert goal.read_bytes() == b"name\r\none\ntwo\nthree\n"
    assert sorted(os.listdir(tmp_path)) == ["out.csv", "out.part"]


def test_many_rows_in_any_order(tmp_path: Path) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.jsonl"
    lines = [b"%d %s\n" % (number, b"x" * (number % 50)) for number in range(2000)]
    mixed = random.Random(7).sample(lines, len(lines))
    where = dict(zip(mixed, laid(source, mixed), strict=True))

    write_ordered(source, (where[line] for line in lines), goal)

    assert goal.read_bytes() == b"".join(lines)


def test_no_rows_at_all_are_a_file_with_its_header(tmp_path: Path) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.csv"
    source.write_bytes(b"")

    write_ordered(source, [], goal, b"name\r\n")

    assert goal.read_bytes() == b"name\r\n"


def test_what_was_there_stays_when_it_fails(tmp_path: Path) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.jsonl"
    laid(source, [b"one\n"])
    goal.write_bytes(b"before\n")

    with pytest.raises(IoFailed, match="no whole row at byte 4") as caught:
        write_ordered(source, [(0, 4), (4, 9)], goal)

    assert caught.value.reason == "changed"
    assert goal.read_bytes() == b"before\n"
    assert sorted(os.listdir(tmp_path)) == ["out.jsonl", "out.part"]


def test_the_working_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(IoFailed, match="cannot read"):
        write_ordered(tmp_path / "none", [], tmp_path / "out")

    assert os.listdir(tmp_path) == []


def test_mode_and_link_of_what_was_there_stay(tmp_path: Path) -> None:
    source, real = tmp_path / "out.part", tmp_path / "real.jsonl"
    places = laid(source, [b"one\n"])
    real.write_bytes(b"")
    real.chmod(0o640)
    link = tmp_path / "out.jsonl"
    link.symlink_to(real)

    write_ordered(source, places, link)

    assert link.is_symlink()
    assert real.read_bytes() == b"one\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_link_under_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    source, other = tmp_path / "out.part", tmp_path / "other"
    places = laid(source, [b"one\n"])
    other.write_bytes(b"precious")
    (tmp_path / ".out.jsonl.tmp").symlink_to(other)

    with pytest.raises(IoFailed):
        write_ordered(source, places, tmp_path / "out.jsonl")

    assert other.read_bytes() == b"precious"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    source = tmp_path / "out.part"
    places = laid(source, [b"x" * 100_000])

    with pytest.raises(IoFailed) as caught:
        write_ordered(source, places, Path("/dev/full"))

    assert caught.value.reason == "full"


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.jsonl"
    line = b"x" * 999 + b"\n"
    source.write_bytes(line * 20_000)  # 20 MB

    def places() -> Iterator[tuple[int, int]]:
        return ((1000 * number, 1000) for number in reversed(range(20_000)))

    tracemalloc.start()
    write_ordered(source, places(), goal)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert goal.stat().st_size == 20_000_000
    assert most < 3_000_000


# ---- CSV ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("tabs", [False, True])
def test_a_table_is_made_of_lines_as_of_rows(tmp_path: Path, tabs: bool) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.csv"
    columns = ["label", "n"]
    ended = [answered(2, HOSTILE), hopped(1), answered(3, '=1+1\n"x"', {"label": "ä"})]
    places = laid(source, [row_line(one) for one in ended])

    write_table(source, places, goal, columns, tabs=tabs)

    lines = [csv_line(one, columns, tabs=tabs) for one in ended]
    assert goal.read_bytes() == csv_header(columns, tabs=tabs) + b"".join(lines)


def test_a_torn_line_makes_no_table(tmp_path: Path) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.csv"
    places = laid(source, [row_line(answered(1)), row_line(answered(2))[:-9]])

    with pytest.raises(IoFailed, match="no whole row"):
        write_table(source, places, goal)

    assert os.listdir(tmp_path) == ["out.part"]


# ---- Parquet -----------------------------------------------------------------------------------


def test_a_table_has_types_and_reads_back(tmp_path: Path) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.parquet"
    bare = replace(answered(2), receipt=replace(FULL, usage=type(FULL.usage)(), text=HOSTILE))
    places = laid(source, [row_line(bare), row_line(hopped(1))])

    write_parquet(source, reversed(places), goal, ["label", "n"])

    table = parquet.read_table(goal)
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds["line"] == kinds["input_tokens"] == "int64"
    assert kinds["ttft_s"] == "double"
    assert kinds["cached"] == "bool"
    assert kinds["cost"] == kinds["label"] == kinds["n"] == "string"
    first, second = table.to_pylist()
    assert (first["id"], first["line"], first["label"], first["n"]) == ("r1", 1, "blue", "3")
    assert (first["input_tokens"], first["cost"], first["total_s"]) == (12, "0.0000022", 0.913)
    assert (first["cached"], second["cached"]) == (True, False)
    assert second["input_tokens"] is None
    assert second["text"] == HOSTILE.replace("\ud83d", "\ufffd")  # exact but for half a character


def test_no_rows_are_a_table_without_rows(tmp_path: Path) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.parquet"
    source.write_bytes(b"")

    write_parquet(source, [], goal)

    assert parquet.read_table(goal).num_rows == 0
    assert sorted(os.listdir(tmp_path)) == ["out.parquet", "out.part"]


def test_a_line_that_is_torn_leaves_what_was_there(tmp_path: Path) -> None:
    source, goal = tmp_path / "out.part", tmp_path / "out.parquet"
    places = laid(source, [row_line(answered(1)), row_line(answered(2))[:-9]])
    goal.write_bytes(b"before")

    with pytest.raises(IoFailed, match="no whole row"):
        write_parquet(source, places, goal)

    assert goal.read_bytes() == b"before"
    assert sorted(os.listdir(tmp_path)) == ["out.parquet", "out.part"]


def test_rows_are_written_by_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmctl.rows.parquet_writing.ROWS_A_GROUP", 2)
    source, goal = tmp_path / "out.part", tmp_path / "out.parquet"
    places = laid(source, [row_line(answered(number)) for number in range(1, 6)])

    write_parquet(source, places, goal)

    assert parquet.ParquetFile(goal).metadata.num_row_groups == 3
    assert parquet.read_table(goal)["line"].to_pylist() == [1, 2, 3, 4, 5]
