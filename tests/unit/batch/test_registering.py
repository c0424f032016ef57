"""The first look at an input: every row is taken down, whatever is wrong with some of them."""

import asyncio
import json
import random
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from llmctl.batch.registering import LISTED, PIECE, SAMPLE, SAMPLE_SIZE, Looked, Registering, length
from llmctl.batch.shape import Ended
from llmctl.batch.sharding import Shard
from llmctl.errors import UsageError
from llmctl.rows import BadRow, Row, open_rows
from llmctl.store.journal import Journal, State
from tests.unit.batch.lanes import given


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "out.jsonl.journal") as made:
        made.begin({"id": "1"})
        yield made


def rows(*texts: str, first: int = 1) -> list[Row]:
    return [Row(line, {"prompt": text}) for line, text in enumerate(texts, first)]


class Taken:
    """What became of a look; `ended` are the rows that were through with it."""

    def __init__(self, journal: Journal, shard: str | None = None, *, add: bool = True) -> None:
        self.ended: list[Ended] = []
        self.told: list[int] = []
        self._registering = Registering(
            journal, self._end, shard=Shard.read(shard) if shard else None, add=add
        )

    def _end(self, ended: Sequence[Ended]) -> None:
        self.ended += ended

    def all(self, found: Sequence[Row | BadRow]) -> Looked:
        return asyncio.run(self._registering.all(given(found), self.told.append))

    def file(self, path: Path) -> Looked:
        async def look() -> Looked:
            async with aclosing(open_rows(str(path))) as found:
                return await self._registering.all(found)

        return asyncio.run(look())

    @property
    def why(self) -> dict[int, str]:
        found = {}
        for one in self.ended:
            assert one.receipt.error is not None
            assert one.receipt.error.code == UsageError.code
            found[one.line] = one.receipt.error.message
        return found


def test_rows_are_taken_down_and_wait(journal: Journal) -> None:
    taken = Taken(journal)
    looked = taken.all(rows("a", "b", "c"))

    assert (looked.rows, looked.bad, looked.changes, looked.added) == (3, 0, 0, 0)
    assert journal.counts().waiting == 3
    assert [row.values["prompt"] for row in looked.sample] == ["a", "b", "c"]
    assert taken.ended == []


def test_a_row_that_cannot_be_read_is_through_with_why(journal: Journal) -> None:
    taken = Taken(journal)
    looked = taken.all([rows("a")[0], BadRow(2, "no JSON"), BadRow(3, "no text", "x")])

    assert (looked.rows, looked.bad) == (3, 2)
    assert taken.why == {2: "no JSON", 3: "no text"}
    assert [one.id for one in taken.ended] == ["2", "x"]
    assert journal.counts().total == 3


def test_the_first_of_two_rows_with_one_id_stands(journal: Journal) -> None:
    taken = Taken(journal)
    looked = taken.all([Row(1, {"prompt": "a"}, "x"), Row(2, {"prompt": "b"}, "y"),
                        Row(5, {"prompt": "c"}, "x"), Row(6, {"prompt": "a"}, "x")])  # fmt: skip

    assert (looked.rows, looked.bad) == (4, 2)
    assert taken.why == dict.fromkeys((5, 6), "the row of line 1 has the id x, too")
    assert [row.line for row in looked.sample] == [1, 2]
    assert journal.counts().total == 4


def test_an_id_may_not_be_the_line_of_another(journal: Journal) -> None:
    taken = Taken(journal)
    taken.all([Row(1, {"prompt": "a"}, "2"), Row(2, {"prompt": "b"})])

    assert taken.why == {2: "the row of line 1 has the id 2, too"}


def test_duplicates_are_found_across_pieces(journal: Journal) -> None:
    found = [Row(n, {"prompt": "a"}, f"r{n % PIECE}") for n in range(1, PIECE + 3)]
    taken = Taken(journal)
    looked = taken.all(found)

    assert sorted(taken.why) == [PIECE + 1, PIECE + 2]
    assert looked.rows == PIECE + 2
    assert taken.told == [PIECE]


def test_the_same_input_again_is_nothing_new(journal: Journal) -> None:
    """As after a process that was killed in the middle of it."""
    mixed: list[Row | BadRow] = [
        *rows("a", "b"),
        BadRow(3, "no JSON"),
        Row(4, {"prompt": "d"}, "1"),
    ]
    Taken(journal).all(mixed[:2])
    again = Taken(journal)
    looked = again.all(mixed)
    third = Taken(journal)

    assert (looked.rows, looked.bad, looked.changes, looked.added) == (4, 2, 0, 0)
    assert third.all(mixed).bad == 2
    assert third.why == again.why == {3: "no JSON", 4: "the row of line 1 has the id 1, too"}
    assert journal.counts().total == 4


def test_what_changed_is_told_and_not_taken_over(journal: Journal) -> None:
    Taken(journal).all(rows("a", "b", "c"))
    before = journal.register([])
    again = Taken(journal, add=False)
    looked = again.all([*rows("a", "B"), Row(3, {"prompt": "c"}, "x"), *rows("d", "e", first=4)])

    assert before == []
    assert (looked.changed, looked.changes) == ([2, 3], 2)
    assert (looked.new, looked.added) == ([4, 5], 2)
    assert looked.rows == 5
    assert journal.counts().total == 3
    assert again.ended == []


def test_new_rows_are_added_where_that_is_wanted(journal: Journal) -> None:
    Taken(journal).all(rows("a", "b"))
    looked = Taken(journal).all(rows("a", "b", "c"))

    assert (looked.changes, looked.rows) == (0, 3)
    assert journal.counts().waiting == 3


def test_of_many_that_changed_the_first_are_listed(journal: Journal) -> None:
    Taken(journal).all(rows(*(["a"] * 100)))
    looked = Taken(journal, add=False).all(rows(*(["b"] * 150)))

    assert (looked.changes, looked.added) == (100, 50)
    assert looked.changed == list(range(1, LISTED + 1))
    assert looked.new == list(range(101, 101 + LISTED))


def test_a_shard_takes_its_own_rows_and_bad_ones_and_no_others(tmp_path: Path) -> None:
    found: list[Row | BadRow] = [Row(n, {"prompt": "a"}, f"r{n}") for n in range(1, 200)]
    found += [BadRow(n, "no JSON") for n in range(200, 240)]
    seen: list[int] = []
    for number in (1, 2, 3):
        with Journal(tmp_path / f"{number}.journal") as one:
            one.begin({})
            looked = Taken(one, f"{number}/3").all(found)
            assert looked.rows == one.counts().total
            seen += [n for n in range(1, 240) if one.state(n) is not None]

    assert sorted(seen) == list(range(1, 240))


def test_the_sample_is_drawn_from_all(journal: Journal) -> None:
    looked = Taken(journal).all(rows(*map(str, range(4000))))
    found = [row.line for row in looked.sample]

    assert len(found) == len(set(found)) == SAMPLE
    # Each quarter has about a quarter of it: 50 ± 30 is five standard deviations.
    assert all(20 <= sum(n * 1000 < one <= (n + 1) * 1000 for one in found) <= 80 for n in range(4))


def test_it_is_no_other_one_where_many_rows_are_bad(journal: Journal) -> None:
    bad = [BadRow(line, "no JSON") for line in range(1, 4001)]
    looked = Taken(journal).all([*bad, *rows(*map(str, range(1000)), first=4001)])
    found = [row.line - 4000 for row in looked.sample]

    assert len(found) == SAMPLE
    assert all(20 <= sum(n * 250 < one <= (n + 1) * 250 for one in found) <= 80 for n in range(4))


def test_of_large_rows_fewer_are_held_and_no_part_is_left_out(journal: Journal) -> None:
    large = "x" * (SAMPLE_SIZE // 20)
    found = [Row(n, {"prompt": large}) for n in range(1, 1001)]
    looked = Taken(journal).all(found)

    assert len(looked.sample) == 20
    # Half of them are in each half: 10 ± 9 is four standard deviations.
    assert 1 <= sum(row.line <= 500 for row in looked.sample) <= 19


def test_one_that_is_larger_than_all_that_may_be_held_is_held_alone(journal: Journal) -> None:
    looked = Looked()
    draw = random.Random(0)
    looked.draw(Row(1, {"prompt": "x" * (SAMPLE_SIZE + 1)}), draw)

    assert len(looked.sample) == 1
    looked.draw(Row(2, {"prompt": "y"}), draw)
    assert len(looked.sample) == 1


def test_rows_of_a_pipe_are_not_held(journal: Journal) -> None:
    """They are taken one by one, and nothing is estimated."""
    registering = Registering(journal, lambda _ended: None)

    assert len(registering.take(rows("a", "b"))) == 2
    assert registering.looked.sample == []


# ---- files as they are


def test_bom_crlf_nul_and_bytes_that_are_no_text(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"prompt": "one"}\r\n'
        b'{"prompt": "tw\xffo"}\r\n'
        b'{"prompt": "th\x00ree"}\r\n'
        b"\r\n"
        b'{"prompt": "four"\r\n'
        b'{"prompt": "five"}'
    )
    taken = Taken(journal)
    looked = taken.file(path)

    assert [(row.line, row.values["prompt"]) for row in looked.sample] == [(1, "one"), (6, "five")]
    assert sorted(taken.why) == [2, 3, 5]
    assert (looked.rows, looked.bad) == (5, 3)


def test_rows_of_ten_megabytes(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    long = "x" * 10_000_000
    with path.open("w") as file:
        for text in (long, "short", long):
            file.write(json.dumps({"prompt": text}) + "\n")
    looked = Taken(journal).file(path)

    assert (looked.rows, looked.bad) == (3, 0)
    assert [len(row.values["prompt"]) for row in looked.sample] == [10_000_000, 5, 10_000_000]
    assert length(looked.sample[0]) == 10_000_000


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_a_file_without_rows_has_none(journal: Journal, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in.jsonl").write_bytes(data)

    assert Taken(journal).file(tmp_path / "in.jsonl").rows == 0
    assert journal.lines(State.WAITING) is not None
    assert journal.counts().total == 0
