"""Placeholders: one for each value, none that stands there already, JSON that stays JSON."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmctl.privacy.placeholders import Placeholders, Span, label_of, normalised
from llmctl.privacy.restore import Restorer

MAIL = "anna@example.com"


def spans(text: str, *values: str, kind: str = "email") -> list[Span]:
    """Where the values stand in the text, each time."""
    return [
        Span(found.start(), found.end(), kind)
        for value in values
        for found in re.finditer(re.escape(value), text)
    ]


def redacted(text: str, *values: str, kind: str = "email", is_json: bool = False) -> str:
    placeholders = Placeholders()
    placeholders.avoid(text)
    return placeholders.redact(text, spans(text, *values, kind=kind), is_json=is_json)


def test_a_value_has_one_placeholder_wherever_it_stands() -> None:
    text = f"{MAIL}, bob@example.com and {MAIL}"

    assert redacted(text, MAIL, "bob@example.com") == "[EMAIL_1], [EMAIL_2] and [EMAIL_1]"


@pytest.mark.parametrize(
    ("kind", "one", "other", "is_same"),
    [
        ("email", "Anna@Example.com", "anna@example.com", True),
        ("person", "Анна  Иванова", "анна\nиванова", True),
        ("phone", "+7 (916) 123-45-67", "89161234567", True),
        ("phone", "+7 916 123-45-67", "+7 916 123-45-68", False),
        ("card", "4111 1111 1111 1111", "4111111111111111", True),
        ("iban", "GB82 WEST 1234 5698 7654 32", "gb82west12345698765432", True),
        ("snils", "112-233-445 95", "11223344595", True),
        ("secret", "sEcReT", "SeCrEt", False),
    ],
)
def test_spellings_of_one_value_are_the_same(
    kind: str, one: str, other: str, is_same: bool
) -> None:
    assert (normalised(kind, one) == normalised(kind, other)) is is_same


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"[EMAIL_1] {MAIL}", "[EMAIL_1] [EMAIL_2]"),
        (f"{MAIL} [email_7]", "[EMAIL_8] [email_7]"),
        (f"{MAIL} \\[EMAIL\\_3\\]", "[EMAIL_4] \\[EMAIL\\_3\\]"),
        (f"{MAIL} [PHONE_5]", "[EMAIL_1] [PHONE_5]"),
        (f"{MAIL} [EMAIL_999999999]", "[EMAIL_1] [EMAIL_999999999]"),
    ],
)
def test_what_looks_like_a_placeholder_is_left_alone(text: str, expected: str) -> None:
    assert redacted(text, MAIL) == expected


def test_our_own_placeholders_are_none_of_the_users() -> None:
    placeholders = Placeholders()
    once = placeholders.redact(MAIL, [Span(0, len(MAIL), "email")])
    placeholders.avoid(once)

    assert placeholders.redact(MAIL, [Span(0, len(MAIL), "email")]) == once == "[EMAIL_1]"
    assert placeholders.counts == {"email": 1}


def test_labels_are_one_word() -> None:
    assert [label_of(kind) for kind in ("email", "passport_ru", "42", "a" * 30)] == [
        "EMAIL", "PASSPORT", "DATA", "A" * 16,
    ]  # fmt: skip


def test_spans_that_overlap_become_one() -> None:
    placeholders = Placeholders()
    text = "0123456789"

    result = placeholders.redact(text, [Span(4, 8, "phone"), Span(2, 6, "card")])

    assert result == "01[CARD_1]89"
    assert placeholders.originals == {"CARD_1": "234567"}


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        # The pattern took the letter of an escape for the beginning of the address.
        (r'{"a": "\nbob@x.org"}', 8, 18, r'{"a": "\n[EMAIL_1]"}'),
        (r'{"a": "\u0416bob@x.org"}', 8, 22, r'{"a": "\u0416[EMAIL_1]"}'),
        (r'{"a": "\\bob@x.org"}', 9, 18, r'{"a": "\\[EMAIL_1]"}'),
        # It ends in the middle of an escaped quote.
        (r'{"a": "bob@x.org\""}', 7, 17, r'{"a": "[EMAIL_1]\""}'),
    ],
)
def test_escapes_of_json_stay_whole(text: str, start: int, end: int, expected: str) -> None:
    result = Placeholders().redact(text, [Span(start, end, "email")])

    assert result == expected
    json.loads(result)


@pytest.mark.parametrize(
    ("text", "is_json", "expected"),
    [
        ('{"inn": 7707083893}', True, '{"inn": "[INN_1]"}'),
        ('{"inn" : 7707083893, "b": 1}', False, '{"inn" : "[INN_1]", "b": 1}'),
        ("[7707083893, 1]", True, '["[INN_1]", 1]'),
        ("7707083893, 1", False, "[INN_1], 1"),
        ('{"inn": "7707083893"}', True, '{"inn": "[INN_1]"}'),
    ],
)
def test_a_number_of_json_becomes_a_string_and_a_number_again(
    text: str, is_json: bool, expected: str
) -> None:
    placeholders = Placeholders()
    result = placeholders.redact(text, spans(text, "7707083893", kind="inn"), is_json=is_json)

    assert result == expected
    assert Restorer(placeholders.originals, placeholders.numbers).text(result) == text


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ('["INN: 7707083893, KPP 1"]', "7707083893", '["INN: [INN_1], KPP 1"]'),
        ('[-7707083893.5, 1]', "7707083893", '["[INN_1]", 1]'),
        ('{"a": "{\\"inn\\": 7707083893}"}', "7707083893", '{"a": "{\\"inn\\": [INN_1]}"}'),
        # Whatever a pattern takes for one value: in JSON it is several.
        ('["770", 708, "3893"]', '770", 708, "3893', '["[INN_1]", "[INN_2]", "[INN_3]"]'),
    ],
)  # fmt: skip
def test_strings_and_numbers_of_json_keep_their_bounds(
    text: str, value: str, expected: str
) -> None:
    placeholders = Placeholders()
    result = placeholders.redact(text, spans(text, value, kind="inn"), is_json=True)

    assert result == expected
    json.loads(result)
    assert Restorer(placeholders.originals, placeholders.numbers).text(result, True) == text


def test_a_number_that_is_spelt_otherwise_elsewhere_comes_back_as_a_string() -> None:
    text = '{"a": "+7 916 123-45-67", "b": 79161234567}'
    placeholders = Placeholders()
    found = spans(text, "+7 916 123-45-67", "79161234567", kind="phone")

    result = placeholders.redact(text, found, is_json=True)

    assert json.loads(result) == {"a": "[PHONE_1]", "b": "[PHONE_1]"}
    back = Restorer(placeholders.originals, placeholders.numbers).text(result)
    assert json.loads(back) == {"a": "+7 916 123-45-67", "b": "+7 916 123-45-67"}


VALUES = st.sampled_from(
    ["anna@example.com", "bob@x.org", "+7 916 123-45-67", "sk-aB3", 'pa"ss\\word', "Анна", "7707"]
)
JUNK = st.text(alphabet='[]\\"_EMAIL12 {}:,\n.Ж', max_size=12)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(JUNK, VALUES), max_size=6), JUNK)
def test_what_was_replaced_comes_back_as_it_was(pairs: list[tuple[str, str]], rest: str) -> None:
    text, found = "", []
    for junk, value in pairs:
        start = len(text) + len(junk)
        found.append(Span(start, start + len(value), "secret"))
        text += junk + value
    text += rest
    placeholders = Placeholders()
    placeholders.avoid(text)

    result = placeholders.redact(text, found)

    assert Restorer(placeholders.originals, placeholders.numbers).text(result, False) == text


LEAVES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [f"\n{MAIL}", f'"{MAIL}"', f"\\{MAIL}", f"ж{MAIL}\t", "79161234567", "t: 79161234567, x"]
    ),
    st.just(79161234567),
    st.none(),
)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS, st.booleans())
def test_json_stays_json(document: object, ascii_only: bool) -> None:
    text = json.dumps([document], ensure_ascii=ascii_only)
    # As a pattern finds them that knows nothing of escapes.
    found = [
        Span(match.start(), match.end(), "email" if "@" in match[0] else "phone")
        for match in re.finditer(r"[\w.]+@[\w.]+|79161234567", text)
    ]
    placeholders = Placeholders()
    placeholders.avoid(text)

    result = placeholders.redact(text, found, is_json=True)

    json.loads(result)
    assert "example.com" not in result
    restored = Restorer(placeholders.originals, placeholders.numbers).text(result, True)
    both = '"79161234567"' in text and re.search(r"(?<!\")79161234567(?!\")", text)
    if not both:  # one placeholder cannot be a number here and a string there
        assert json.loads(restored) == [document]
