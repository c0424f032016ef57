"""Shards of a job: which row is whose, on every machine, and what is no shard.

The numbers come from coreutils: `printf %s NAME | b2sum -l 64`. Of a number in hexadecimal, its
last digit is what is left by 8, and the sum of its digits leaves by 3 and by 5 what it does.
"""

import subprocess
import sys
from collections import Counter

import pytest

from llmctl.batch.sharding import Shard, number_of
from llmctl.errors import UsageError

BY_B2SUM = {
    "a": 0x40F89E395B66422F,
    "b": 0x8472C2E34D854F75,
    "c": 0x373F6364CD072C1B,
    "row-1": 0x5C6E3078B04DE4DB,
    "42": 0x57B43CF02666687A,
    "строка": 0x0A76F511473EEAB2,
}


@pytest.mark.parametrize(("name", "number"), BY_B2SUM.items())
def test_the_number_of_a_name_is_that_of_b2sum(name: str, number: int) -> None:
    assert number_of(name) == number


@pytest.mark.parametrize(
    ("name", "shard"),
    [
        ("a", "8/8"),  # …f: 15 = 8 + 7
        ("b", "6/8"),  # …5
        ("c", "4/8"),  # …b: 11 = 8 + 3
        ("row-1", "4/8"),  # …b
        ("42", "3/8"),  # …a: 10 = 8 + 2
        ("строка", "3/8"),  # …2
        ("a", "3/3"),  # 113 = 3 * 37 + 2
        ("b", "3/3"),  # 113
        ("c", "1/3"),  # 105 = 3 * 35
        ("a", "4/5"),  # 113 = 5 * 22 + 3
        ("c", "1/5"),  # 105 = 5 * 21
        ("c", "1/1"),
    ],
)
def test_a_row_is_of_the_shard_that_its_number_leaves(name: str, shard: str) -> None:
    count = Shard.read(shard).count

    having = [one for one in shards(count) if one.has(name)]

    assert [str(one) for one in having] == [shard]


def shards(count: int) -> list[Shard]:
    return [Shard.read(f"{number}/{count}") for number in range(1, count + 1)]


@pytest.mark.parametrize("count", [2, 3, 8, 100])
def test_rows_are_spread_evenly(count: int) -> None:
    """Of 20,000 lines, each shard has its share within five standard deviations of what throwing
    dice would give."""
    rows, kinds = 20_000, shards(count)

    found = Counter(
        str(shard) for line in range(1, rows + 1) for shard in kinds if shard.has(str(line))
    )

    share = rows / count
    deviation = (share * (1 - 1 / count)) ** 0.5
    assert sum(found.values()) == rows
    assert len(found) == count
    assert all(abs(there - share) < 5 * deviation for there in found.values())


def test_a_name_that_is_no_unicode_has_a_shard_too() -> None:
    """JSON may hold half a surrogate pair: `"\\ud800"`."""
    assert sum(one.has("\ud800") for one in shards(7)) == 1


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_another_process_with_another_seed_of_hashes_says_the_same(seed: str) -> None:
    program = "from llmctl.batch.sharding import Shard; print(Shard.read('4/8').has('row-1'))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == "True\n"


@pytest.mark.parametrize(
    "text",
    [
        *("", "3", "/", "3/", "/8", "3/8/1", "a/b", "3:8", "3 / 8", " 3/8", "+3/8", "-1/8"),
        *("0/8", "9/8", "0/0", "1/0", "1.0/8", "1_0/20", "１/８", "²/8", "1/1000001"),
        "1/" + "9" * 5000,
    ],
)
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        Shard.read(text)

    assert refused.value.hint == "the third of eight parts: --shard 3/8"
    assert len(refused.value.message) < 100
