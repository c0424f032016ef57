"""Restoring: whole texts, JSON, and text in pieces, whatever a model makes of a placeholder."""

import json
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmctl.privacy.placeholders import LONGEST
from llmctl.privacy.restore import Restorer

ORIGINALS = {
    "EMAIL_1": "anna@example.com",
    "PERSON_12": "Анна",
    "SECRET_1": 'pa"ss\\word\n2',
    "INN_1": "7707083893",
}
RESTORER = Restorer(ORIGINALS, {"INN_1"})


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[EMAIL_1]", "anna@example.com"),
        ("Dear [PERSON_12],", "Dear Анна,"),
        ("[email_1] [Email_1]", "anna@example.com anna@example.com"),
        (r"[EMAIL\_1]", "anna@example.com"),
        (r"\[EMAIL\_1\]", "anna@example.com"),
        (r"\[EMAIL_1\]", "anna@example.com"),
        (r"\\[EMAIL\\_1\\]", "anna@example.com"),
        ("[EMAIL_1](mailto:[EMAIL_1])", "anna@example.com(mailto:anna@example.com)"),
        ('"[EMAIL_1]"', '"anna@example.com"'),
        # These are not ours.
        ("[EMAIL_2] [EMAIL_01] [EMAIL_] [EMAIL 1] [PERSON_1]",
         "[EMAIL_2] [EMAIL_01] [EMAIL_] [EMAIL 1] [PERSON_1]"),
        ("[[EMAIL_1]]", "[anna@example.com]"),
        ("EMAIL_1", "EMAIL_1"),
        ("[EMAIL_1", "[EMAIL_1"),
    ],
)  # fmt: skip
def test_what_models_write(written: str, expected: str) -> None:
    assert RESTORER.text(written) == expected


def test_what_is_put_back_is_not_looked_at_again() -> None:
    assert Restorer({"A_1": "[B_1]", "B_1": "no"}).text("[A_1]") == "[B_1]"


def test_in_json_the_original_is_escaped() -> None:
    text = RESTORER.text('{"a": "[SECRET_1]", "b": "[email\\\\_1]"}')

    assert json.loads(text) == {"a": ORIGINALS["SECRET_1"], "b": "anna@example.com"}
    assert RESTORER.text("[SECRET_1]") == ORIGINALS["SECRET_1"]
    assert json.loads(RESTORER.text('["[SECRET_1]"]', quoted=True)) == [ORIGINALS["SECRET_1"]]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[{"k": "', '"}]'), ('["', '"]'), ('[["', '"]]'), ('  {\n "k": "', '"\n}'),
        ('Here it is:\n```json\n{"k": "', '"}\n```\n'), ('Here it is:\n\n{"a": {}, "k": "', '"}'),
        ('{"a": "\\"", "k": "', '"}'), ('{"a": 1}\n{"k": "', '"}'), ('{"a": "{[", "k": "', '"}'),
    ],
)  # fmt: skip
def test_inside_a_string_of_json_the_original_is_escaped(before: str, after: str) -> None:
    text = RESTORER.text(f"{before}[SECRET_1]{after}")

    assert text == f"{before}{json.dumps(ORIGINALS['SECRET_1'])[1:-1]}{after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('say "', '"'), ('[1] say "', '"'), ("{name}: say \"", '"'), ('{"a": 1}\n\nsay "', '"'),
        ('```json\n["a"]\n```\nsay "', '"'), ("", ' is "new"'), ('x {"k": "', '"}'),
    ],
)  # fmt: skip
def test_elsewhere_the_original_stands_as_it_is(before: str, after: str) -> None:
    assert RESTORER.text(f"{before}[SECRET_1]{after}") == f"{before}{ORIGINALS['SECRET_1']}{after}"


def test_a_number_loses_the_quotes_that_it_was_given() -> None:
    assert RESTORER.text('{"inn": "[INN_1]"}') == '{"inn": 7707083893}'
    assert RESTORER.text("INN: [INN_1].") == "INN: 7707083893."
    assert RESTORER.text('{"text": "INN [INN_1]"}') == '{"text": "INN 7707083893"}'


def pieces(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[start:end] for start, end in pairwise(places)]


WRITTEN = st.lists(
    st.sampled_from(
        ["[EMAIL_1]", r"\[EMAIL\_1\]", r"\\[EMAIL\\_1\\]", '"[INN_1]"', "[SECRET_1]", "[EMAIL_3]",
         "[person_12]", "[", "]", "\\", '"', "_1]", "[EMAIL", "{", " ", "a", "7", "\n", "[",
         '{"', '"}', '\n["', "}", '\\"']
    ),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(WRITTEN, st.lists(st.integers(0, 200), max_size=8), st.sampled_from([None, True, False]))
def test_pieces_are_what_the_whole_is(text: str, cuts: list[int], quoted: bool | None) -> None:
    stream = RESTORER.stream(quoted)

    shown = "".join(map(stream.feed, pieces(text, cuts))) + stream.end()

    assert shown == RESTORER.text(text, quoted)


@pytest.mark.parametrize("written", ["[EMAIL_1]", r"\\[EMAIL\\_1\\]", '"[INN_1]"', 'x"\\[y[INN_1'])
def test_every_cut_gives_the_same(written: str) -> None:
    text = f"Write to {written} now"
    for cut in range(len(text) + 1):
        stream = RESTORER.stream()
        assert (
            stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.end()
            == RESTORER.text(text)
        )  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet='[]\\"_AEMIL12', max_size=200))
def test_no_more_is_held_back_than_a_placeholder_is_long(text: str) -> None:
    stream = RESTORER.stream()
    given_so_far = shown = ""
    for sign in text:
        given_so_far += sign
        shown += stream.feed(sign)
        # Nothing of ours is that short that restoring makes it shorter still.
        assert len(RESTORER.text(given_so_far)) - len(shown) <= LONGEST


def test_plain_text_is_not_held_back() -> None:
    stream = RESTORER.stream()

    assert stream.feed("Hello [1], see [the docs") == "Hello [1], see [the docs"
    assert stream.feed("](x) [EMA") == "](x) "
    assert stream.feed("NUEL]") == "[EMANUEL]"
    assert stream.end() == ""


@pytest.mark.parametrize(
    "unit", ["[", "\\", "[A", "[EMAIL_", '"[', "[EMAIL_1", r"\[EMAIL\_1", '{"', '["a"', '\n{"\\']
)
def test_hostile_answers_take_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        best = 1e9
        for _try in range(3):
            stream = RESTORER.stream()
            begun = time.process_time()
            for at in range(0, len(text), 7):
                stream.feed(text[at : at + 7])
            stream.end()
            RESTORER.text(text)
            best = min(best, time.process_time() - begun)
        return best

    small, large = seconds(20_000), seconds(80_000)

    assert large < 10 * small + 0.05  # four times the text; quadratic would be sixteen
