"""Which words differ. The length of a longest common subsequence is checked against the table by
which it is defined."""

import time

from hypothesis import given
from hypothesis import strategies as st

from llmctl.output.report.differences import LONGEST, _common, difference

WORDS = st.lists(st.sampled_from("abcd"), max_size=14)


def marked(text: str, other: str) -> list[str]:
    return [piece.text for piece in difference(text, other).pieces if piece.differs]


def longest(ours: list[str], theirs: list[str]) -> int:
    """By the definition, row by row."""
    above = [0] * (len(theirs) + 1)
    for one in ours:
        row = [0]
        for at, other in enumerate(theirs):
            row.append(above[at] + 1 if one == other else max(above[at + 1], row[at]))
        above = row
    return above[-1]


@given(WORDS, WORDS)
def test_a_longest_common_subsequence_is_found(ours: list[str], theirs: list[str]) -> None:
    places = sorted(_common(ours, theirs))

    rest = iter(theirs)
    assert all(ours[at] in rest for at in places)  # in order
    assert len(places) == longest(ours, theirs)


def test_words_that_the_other_does_not_have_are_marked() -> None:
    assert marked("Столица — Сидней.", "Столица — Канберра.") == ["Сидней"]
    assert marked("it is Canberra indeed", "it is Canberra") == ["indeed"]
    assert marked("it is Canberra", "it is Canberra indeed") == []
    assert difference("it is Canberra", "it is Canberra indeed").missing == 1


def test_blanks_between_marked_words_are_marked_with_them() -> None:
    assert marked("a very big dog", "a dog") == ["very big"]


def test_blanks_alone_make_no_difference() -> None:
    found = difference("a  b\n\nc", "a b c")

    assert [piece.differs for piece in found.pieces] == [False]
    assert (found.missing, found.same) == (0, 1.0)


def test_chinese_is_compared_sign_by_sign() -> None:
    assert marked("首都是悉尼", "首都是堪培拉") == ["悉尼"]


def test_nothing_in_common_is_said_and_not_marked() -> None:
    found = difference("a b c d e f g h i j k l", "m n o p q r s t u v w x")

    assert found.whole
    assert [piece.differs for piece in found.pieces] == [False]
    assert marked("Sydney", "Canberra") == ["Sydney"]  # short texts are marked all the same


@given(st.text(), st.text())
def test_the_pieces_make_up_the_text(text: str, other: str) -> None:
    assert "".join(piece.text for piece in difference(text, other).pieces) == text


def test_empty_texts_are_no_trouble() -> None:
    assert difference("", "").same == 1.0
    assert difference("", "a").missing == 1
    assert marked("a", "") == ["a"]


def test_the_worst_texts_take_no_longer_than_their_lengths_say() -> None:
    """Few words, often repeated, are what ordinary ways of comparing take minutes for."""
    one, other = "a b " * (LONGEST // 2), "b a a " * (LONGEST // 3)
    started = time.process_time()

    found = difference(one, other)

    assert time.process_time() - started < 2.0
    assert not found.cut
    assert found.same > 0.5


def test_what_is_too_long_is_said_to_be() -> None:
    found = difference("x " + "a " * (LONGEST + 1), "y " + "b " * 20)

    assert found.cut or found.whole
    long = difference("start " + "a " * (LONGEST + 1) + "end", "start b end")
    assert long.cut
    assert long.pieces[0].text == "start "
    assert long.pieces[-1].text.strip() == "end"
