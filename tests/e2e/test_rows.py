"""Rows of files and of data sets, as `llmctl embed` reads them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.harness import Llmctl, Result
from tests.simulator.dataset_viewer import DatasetViewer
from tests.simulator.embeddings import SIZE, vector

pytestmark = pytest.mark.usefixtures("warm")


@pytest.fixture
def viewer(llmctl: Llmctl) -> Iterator[DatasetViewer]:
    with DatasetViewer() as viewer:
        llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__DATASETS_URL"] = viewer.url
        llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__HUB_URL"] = viewer.url
        yield viewer


def embed(llmctl: Llmctl, source: str, *more: str, model: str = "openai/mock") -> Result:
    return llmctl.run("embed", "-m", model, "--file", source, "--column", "text", *more)


def rows(result: Result) -> list[Any]:
    assert result.code == 0, result.err
    return [json.loads(line) for line in result.out.splitlines()]


def test_rows_of_a_data_set(llmctl: Llmctl, viewer: DatasetViewer) -> None:
    result = embed(llmctl, "hf://datasets/org/part", "--limit", "3", "--with-text")

    found = rows(result)
    assert [(row["line"], row["id"], row["text"]) for row in found] == [
        (1, "r0", "строка 0"),
        (2, "r1", "строка 1"),
        (3, "r2", "строка 2"),
    ]
    assert found[2]["embedding"] == pytest.approx(vector("строка 2", SIZE), abs=1e-6)
    assert viewer.asked[-1].endswith("offset=0&length=3")
    assert "only the beginning of org/part" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("hf://datasets/org/nosuch", 7, "no data set org/nosuch"),
        ("hf://datasets/org/gated", 6, "https://huggingface.co/datasets/org/gated"),
        ("hf://datasets/org/several", 2, "there are: en, ru"),
        ("hf://datasets/org/several/fr/train", 7, "there are: en, ru"),
        ("hf://datasets/org/repeats", 10, "row 0 where row 100"),
        ("hf://models/org/small", 2, "names no data set"),
    ],
)
def test_what_is_wrong_with_one(
    llmctl: Llmctl, viewer: DatasetViewer, source: str, code: int, said: str
) -> None:
    result = embed(llmctl, source)

    assert result.code == code, result.err
    assert said in result.err
    assert "Traceback" not in result.err


def test_nothing_is_asked_where_nothing_may_leave(llmctl: Llmctl, viewer: DatasetViewer) -> None:
    """The model is one of this machine, and the rows are not."""
    result = embed(llmctl, "hf://datasets/org/small", "--local-only", model="ollama/mock")

    assert result.code == 4, result.err
    assert viewer.asked == []


def test_a_table_from_a_russian_spreadsheet(llmctl: Llmctl) -> None:
    path = llmctl.home / "in.csv"
    path.write_bytes('id;text\r\n1;"Привет; мир"\r\n'.encode("cp1251"))

    [row] = rows(embed(llmctl, str(path), "--encoding", "cp1251", "--with-text"))

    assert (row["line"], row["id"], row["text"]) == (2, "1", "Привет; мир")


def test_parquet(llmctl: Llmctl) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = llmctl.home / "in.parquet"
    parquet.write_table(pyarrow.table({"id": ["a", "b"], "text": ["one", "two"]}), path)

    found = rows(embed(llmctl, str(path), "--with-text"))

    assert [(row["id"], row["text"]) for row in found] == [("a", "one"), ("b", "two")]
