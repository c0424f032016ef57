"""Outputs in every form read back as lines."""

from pathlib import Path

import pytest

from llmctl.errors import UsageError
from llmctl.output.batch_final import write_parquet
from llmctl.output.batch_rows import csv_header, csv_line, row_line
from llmctl.output.batch_rows_read import read_lines
from llmctl.output.report.batch_gathered import BatchReport
from tests.jobs import GIGA, LUNA, answered, rows
from tests.unit.output.batches import HOSTILE, failed, hopped


def laid(folder: Path, ending: str) -> Path:
    """The same 300 rows in each form."""
    import random

    path, chance = folder / f"out{ending}", random.Random(1)
    if ending == ".jsonl":
        path.write_bytes(b"".join(rows()))
    elif ending == ".parquet":
        source = folder / "out.part"
        places, begun = [], 0
        with source.open("wb") as file:
            for line in rows():
                file.write(line)
                places.append((begun, len(line)))
                begun += len(line)
        write_parquet(source, places, path)
    else:
        tabs = ending == ".tsv"
        lines = [csv_line(answered(at, chance), tabs=tabs) for at in range(1, 301)]
        path.write_bytes(csv_header(tabs=tabs) + b"".join(lines))
    return path


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".tsv", ".parquet"])
def test_a_report_says_the_same_of_every_form(tmp_path: Path, ending: str) -> None:
    report = BatchReport().read(read_lines(laid(tmp_path, ending)))

    assert (report.answered, report.copied, report.unreadable) == (300, 10, 0)
    luna, giga = report.models[LUNA], report.models[GIGA]
    assert (luna.answered, giga.answered) == (200, 100)
    assert str(giga.costs["RUB"]) == "9.0"
    assert luna.input == 20_000
    assert giga.times.percentile(0.5) == pytest.approx(0.55, abs=0.01)
    assert report.levels == {"no-training": 300}


def test_a_cell_with_line_breaks_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(csv_header() + csv_line(hopped(1)).replace(b"Blue.", b'"a\nb"'))

    (line,) = read_lines(path)

    assert line is not None
    assert line["text"] == "a\nb"
    assert line["row"] == {"id": "r1", "line": 1, "same_as": "r1", "cached": True}
    assert line["usage"]["input_tokens"] == 12


def test_what_is_torn_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(row_line(failed(1)) + row_line(failed(2))[:-5])
    table = tmp_path / "out.csv"
    table.write_bytes(csv_header() + csv_line(hopped(1)) + b"r2,2\r\n")

    assert [line is None for line in read_lines(path)] == [False, True]
    assert [line is None for line in read_lines(table)] == [False, True]


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text(f"id,name\n1,{HOSTILE[:3]}\n", encoding="utf-8")

    with pytest.raises(UsageError, match="no output of a job: it has no column line"):
        list(read_lines(path))


@pytest.mark.parametrize("name", ["none.jsonl", "none.csv", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        list(read_lines(tmp_path / name))
