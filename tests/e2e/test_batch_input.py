"""Input as it comes: bad rows are told with their lines and the others go on, bad files are refused
before anything is sent."""

import json
from collections.abc import Iterator

import pytest

from tests.batches import lines
from tests.e2e.batching import Job
from tests.e2e.harness import Llmctl
from tests.simulator import Simulator
from tests.simulator.dataset_viewer import DatasetViewer

pytestmark = pytest.mark.usefixtures("warm")

ONE = b'{"id": "a", "prompt": "Repeat: one"}'
TWO = b'{"id": "b", "prompt": "Repeat: two"}'


def given(llmctl: Llmctl, data: bytes, name: str = "in.jsonl") -> Job:
    job = Job(llmctl)
    job.input = llmctl.home / name
    job.input.write_bytes(data)
    return job


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file(llmctl: Llmctl, sim: Simulator, data: bytes) -> None:
    """Most likely a mistake of the program that was to write it: never a success."""
    job = given(llmctl, data)

    result = job.run()

    assert result.code == 2, result.err
    assert "in.jsonl" in result.err
    assert sim.calls == []
    assert not job.output.exists()
    job.input.write_bytes(ONE + b"\n")  # the program works now
    assert job.run().code == 0
    assert job.by_id() == {"a": "one"}


def test_a_directory_or_nothing(llmctl: Llmctl, sim: Simulator) -> None:
    job = Job(llmctl)
    job.input = llmctl.home / "folder"
    job.input.mkdir()
    folder = job.run()
    job.input = llmctl.home / "nothing.jsonl"
    nothing = job.run()

    for result in (folder, nothing):
        assert result.code == 2, result.err
        assert "Traceback" not in result.err
    assert sim.calls == []
    assert job.files() == {"folder"}


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + ONE + b"\n" + TWO + b"\n",
        ONE + b"\r\n" + TWO + b"\r\n",
        b"\xef\xbb\xbf" + ONE + b"\r\n\r\n" + TWO,
    ],
    ids=["bom", "crlf", "both"],
)
def test_byte_order_marks_and_windows_lines(llmctl: Llmctl, data: bytes) -> None:
    job = given(llmctl, data)

    assert job.run().code == 0
    assert job.by_id() == {"a": "one", "b": "two"}


BAD = {
    "letters of another encoding": b'{"id": "x1", "prompt": "caf\xe9"}',
    "torn": b'{"id": "x2", "prompt": ',
    "a list": b'["no", "row"]',
    "a number for a prompt": b'{"id": "x4", "text": 7}',
    "an empty prompt": b'{"id": "x5", "prompt": "   "}',
    "options that are none": b'{"id": "x6", "prompt": "hi", "options": "none"}',
    "a schema that is none": b'{"id": "x7", "prompt": "hi", "schema": {"type": "nonsense"}}',
    "a role that is none": b'{"id": "x8", "messages": [{"role": "nobody", "content": "hi"}]}',
    "the id of another row": b'{"id": "a", "prompt": "another"}',
    "NUL": b"\x00\x00\x00",
}


def test_bad_rows(llmctl: Llmctl, sim: Simulator) -> None:
    """Each is told with its line, and keeps nobody from being answered."""
    job = given(llmctl, b"\n".join((ONE, *BAD.values(), TWO)))

    result = job.run()

    assert result.code == 15, result.err
    assert {one["row"]["id"]: one["text"] for one in job.answers} == {"a": "one", "b": "two"}
    told = {one["row"]["line"]: one["error"]["code"] for one in job.failures}
    assert told == dict.fromkeys(range(2, 2 + len(BAD)), "usage")
    assert len(job.failures) == len(BAD)
    assert len(sim.calls) == 2
    assert "Traceback" not in result.err
    # A row that nothing can be made of is not tried again, and stays as it is.
    again = job.run()
    assert (again.code, len(sim.calls), len(job.failures)) == (15, 2, len(BAD))


def test_nul_inside_a_prompt(llmctl: Llmctl, sim: Simulator) -> None:
    job = given(llmctl, b'{"id": "a", "prompt": "Repeat: x\\u0000y"}\n')

    assert job.run().code == 0
    assert [one["text"] for one in job.answers] == ["x\0y"]


def test_a_row_of_ten_megabytes(llmctl: Llmctl, sim: Simulator) -> None:
    text = "m" * 10_000_000
    job = Job(llmctl).documents(
        {"id": "a", "prompt": "Repeat: one"},
        {"id": "large", "prompt": f"what is in {text}?"},
        {"id": "b", "prompt": "Repeat: two"},
    )

    result = job.run()

    assert result.code == 0, result.err
    assert {one["row"]["id"]: one["row"]["line"] for one in job.answers} == {
        "a": 1, "large": 2, "b": 3,
    }  # fmt: skip
    assert max(len(one.body) for one in sim.calls) > 10_000_000


def test_line_separators_of_unicode_end_no_row(llmctl: Llmctl) -> None:
    text = "one\u2028two\u2029three\u0085four"
    job = Job(llmctl).documents({"id": "a", "prompt": f"Repeat: {text}"})

    assert job.run().code == 0
    assert [one["text"] for one in lines(job.output)] == [text]


def test_a_template_without_its_column(llmctl: Llmctl, sim: Simulator) -> None:
    folder = llmctl.config / "templates"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('prompt = "Repeat: {{ title }}"\n')
    job = Job(llmctl).documents({"id": "a", "title": "one"}, {"id": "b", "name": "two"})

    result = job.run("-t", "mine")

    assert result.code == 15, result.err
    assert job.by_id() == {"a": "one", "b": "usage"}
    assert "title" in job.failures[0]["error"]["message"]
    assert len(sim.calls) == 1


def test_an_unknown_model_in_row_seven(llmctl: Llmctl, sim: Simulator) -> None:
    """A model that one row names concerns that row; the other nine are answered."""
    rows = [{"id": f"r{n}", "prompt": f"Repeat: {n}"} for n in range(1, 11)]
    rows[6]["model"] = "nosuchprovider/thing"
    job = Job(llmctl).documents(*rows)

    result = job.run()

    assert result.code == 15, result.err
    assert len(job.answers) == 9
    [failure] = job.failures
    assert (failure["row"], failure["error"]["code"]) == ({"id": "r7", "line": 7}, "usage")
    assert len(sim.calls) == 9


def test_a_model_that_the_provider_does_not_know_in_row_seven(
    llmctl: Llmctl, sim: Simulator
) -> None:
    rows = [{"id": f"r{n}", "prompt": f"Repeat: {n}"} for n in range(1, 11)]
    rows[6]["model"] = "openai/mock-fault-no-model"
    job = Job(llmctl).documents(*rows)

    result = job.run()

    assert result.code == 15, result.err
    assert len(job.answers) == 9
    assert [one["row"]["line"] for one in job.failures] == [7]


def test_openai_batch_lines(llmctl: Llmctl, sim: Simulator) -> None:
    body = {"model": "openai/mock", "messages": [{"role": "user", "content": "Repeat: x"}]}
    line = {"custom_id": "c1", "method": "POST", "url": "/v1/chat/completions"}
    job = Job(llmctl, "").documents({**line, "body": {**body, "temperature": 0.25}})

    result = job.run()

    assert result.code == 0, result.err
    assert job.by_id() == {"c1": "x"}
    assert sim.calls[0].json["temperature"] == 0.25


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("in.csv", 'id,prompt\r\na,"Repeat: one"\r\nb,"Repeat: two"\r\n'),
        ("in.tsv", "id\tprompt\na\tRepeat: one\nb\tRepeat: two\n"),
        ("in.csv", 'id;prompt\na;"Repeat: one"\nb;"Repeat: two"\n'),
    ],
)
def test_tables(llmctl: Llmctl, name: str, data: str) -> None:
    job = given(llmctl, data.encode(), name)

    assert job.run().code == 0
    assert job.by_id() == {"a": "one", "b": "two"}


def test_plain_text_and_standard_input(llmctl: Llmctl) -> None:
    job = given(llmctl, "Repeat: один\nRepeat: два\n".encode(), "in.txt")
    assert job.run().code == 0
    assert job.by_id() == {"1": "один", "2": "два"}

    output = llmctl.home / "piped.jsonl"
    piped = llmctl.run(
        *("batch", "run", "-", "--output", str(output), "-m", "openai/mock"),
        stdin=ONE + b"\n" + TWO + b"\n",
    )
    assert piped.code == 0, piped.err
    assert {one["row"]["id"]: one["text"] for one in lines(output)} == {"a": "one", "b": "two"}


def test_standard_output(llmctl: Llmctl) -> None:
    """It cannot be carried on, and says so."""
    job = given(llmctl, ONE + b"\n" + TWO + b"\n")

    result = llmctl.run("batch", "run", str(job.input), "--output", "-", "-m", "openai/mock")

    assert result.code == 0, result.err
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert {one["row"]["id"]: one["text"] for one in rows} == {"a": "one", "b": "two"}
    assert "resume" in result.err or "carried on" in result.err, result.err
    assert job.files() == set()


def test_parquet(llmctl: Llmctl) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    job = Job(llmctl)
    job.input = llmctl.home / "in.parquet"
    table = pyarrow.table({"id": ["a", "b"], "prompt": ["Repeat: one", "Repeat: two"]})
    parquet.write_table(table, job.input)
    job.output = llmctl.home / "out.parquet"

    result = job.run()

    assert result.code == 0, result.err
    found = parquet.read_table(job.output).to_pylist()
    assert {row["id"]: row["text"] for row in found} == {"a": "one", "b": "two"}


@pytest.fixture
def viewer(llmctl: Llmctl) -> Iterator[DatasetViewer]:
    with DatasetViewer() as viewer:
        llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__DATASETS_URL"] = viewer.url
        llmctl.env["LLMCTL_PROVIDERS__HUGGINGFACE__HUB_URL"] = viewer.url
        yield viewer


def test_a_data_set(llmctl: Llmctl, viewer: DatasetViewer, sim: Simulator) -> None:
    output = llmctl.home / "out.jsonl"
    flags = ("--output", str(output), "-m", "openai/mock", "--column", "text", "--limit", "3")
    result = llmctl.run("batch", "run", "hf://datasets/org/small", *flags, "--columns", "label")

    assert result.code == 0, result.err
    found = sorted(lines(output), key=lambda one: one["row"]["line"])
    assert [one["row"]["id"] for one in found] == ["r0", "r1", "r2"]
    assert [one["row"]["columns"] for one in found] == [{"label": n} for n in (0, 1, 2)]
    assert sorted(one.json["messages"][-1]["content"] for one in sim.calls) == [
        "строка 0", "строка 1", "строка 2",
    ]  # fmt: skip


@pytest.mark.parametrize("piped", [False, True])
def test_a_mistyped_command_leaves_nothing_behind(
    llmctl: Llmctl, sim: Simulator, piped: bool
) -> None:
    """Else the right one would be another job than the one that failed as a whole."""
    data = ONE + b"\n" + TWO + b"\n"
    job = given(llmctl, data)
    source = "-" if piped else str(job.input)
    command = ("batch", "run", source, "--output", str(job.output), "-m", "openai/mock")

    wrong = llmctl.run(*command, "--column", "nope", stdin=data)

    assert wrong.code == 2, wrong.err
    assert "nope" in wrong.err
    assert "line 1" in wrong.err
    assert "Traceback" not in wrong.err
    assert sim.calls == []
    assert job.files() - {"out.jsonl.journal.lock"} == set()
    right = llmctl.run(*command, stdin=data)
    assert right.code == 0, right.err
    assert job.by_id() == {"a": "one", "b": "two"}
