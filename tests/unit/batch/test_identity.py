"""By what a row is known again."""

import json
import random
from hashlib import blake2b

import pytest

from llmctl.batch.identity import digest_of, name_of
from llmctl.rows import Row
from llmctl.types import Json


def hashed(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def test_the_name_is_a_hash_that_fits_into_a_column_of_integers() -> None:
    assert name_of("r1") == hashed("r1")
    found = [name_of(str(number)) for number in range(1000)]
    assert len(set(found)) == 1000
    assert all(-(2**63) <= one < 2**63 for one in found)
    assert any(one < 0 for one in found)


def test_the_digest_is_that_of_the_columns_in_a_form_of_their_own() -> None:
    row = Row(3, {"prompt": "Почему?", "n": 1})

    assert digest_of(row) == hashed('{"n":1,"prompt":"Почему?"}')


@pytest.mark.parametrize(
    "other",
    [
        {"n": 1, "prompt": "Hi"},
        {"prompt": "Hi", "n": 1, "id": "x"},
        {"custom_id": "y", "prompt": "Hi", "n": 1},
    ],
)
def test_neither_order_nor_id_nor_line_change_it(other: dict[str, Json]) -> None:
    assert digest_of(Row(1, {"prompt": "Hi", "n": 1})) == digest_of(Row(9, other, "z"))


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "Hi"},
        {"prompt": "Hi", "n": "1"},
        {"prompt": "Hi", "n": 2},
        {"prompt": "Hi ", "n": 1},
        {"prompt": "Hi", "n": 1, "model": "a/m"},
        {"prompt": "Hi", "n": 1, "ID": "x"},
    ],
)
def test_all_else_does(other: dict[str, Json]) -> None:
    assert digest_of(Row(1, {"prompt": "Hi", "n": 1})) != digest_of(Row(1, other))


def test_halves_of_characters_and_what_json_does_not_know_have_one_too() -> None:
    odd: dict[str, Json] = {"prompt": "\ud83d", "when": json.JSONDecoder}  # as Parquet has dates

    assert digest_of(Row(1, odd)) == digest_of(Row(2, dict(odd)))
    assert name_of("\ud83d") != name_of("\ud83e")


def test_two_texts_that_lie_close_have_two() -> None:
    chance = random.Random(3)
    texts = {str(chance.random()) for _one in range(5000)}

    assert len({digest_of(Row(1, {"prompt": one})) for one in texts}) == len(texts)
