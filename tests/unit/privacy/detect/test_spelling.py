"""Texts as other programs write them: escapes of JSON, HTML, URLs, mail, Markdown and terminals,
and characters that nobody sees. What is found is found with its escapes, where it stands."""

import json
from urllib.parse import quote

import pytest

from llmctl.privacy.detect import find
from llmctl.privacy.detect.spelling import Plain
from tests.unit.privacy.detect.test_secrets import ALNUM, WEB, drawn, keys, web_token

KEY = "sk-" + "proj-" + drawn(WEB, 48)
TOKEN = web_token({"alg": "HS256"}, {"sub": "42"})


def spans(text: str) -> list[tuple[str, str, bool]]:
    return [(one.type, text[one.start : one.end], one.severe) for one in find(text)]


@pytest.mark.parametrize("value", [KEY, TOKEN])
@pytest.mark.parametrize(
    "before",
    ["\x1b[35m", "\\x1b[35m", "\\u001b[1m", "\\u0022", "\\u003c", "\\u0026", "=3D", "%0A", "%09",
     "%26", "%27", "%2C", "%2F", "%3D", "%3E", "%5B", "%7B", "&quot;", "&#34;", "_", "**", "- ",
     "-"],
)  # fmt: skip
def test_a_key_behind_an_escape(before: str, value: str) -> None:
    assert spans(f"it is {before}{value}") == [("secret", value, True)]


@pytest.mark.parametrize(
    "unseen",
    ["\u00ad", "\u200b", "\u034f", "\ufe0f", "\u3164", "\U000e0041", "\U000e0101", "\x1b[1;31m",
     "\\u200b", "&shy;"],
)  # fmt: skip
def test_what_nobody_sees_breaks_no_key(unseen: str) -> None:
    broken = KEY[:20] + unseen + KEY[20:]

    assert spans(f"key: {broken} now") == [("secret", broken, True)]


def test_a_key_in_markdown() -> None:
    token = "hf\\" + "_" + drawn(ALNUM, 34)

    assert spans(f"the token {token}.") == [("secret", token, True)]
    assert [one.severe for one in find(f"_{KEY}_")] == [True]


@pytest.mark.parametrize("at", [9, 14, 24])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n> ", "\n+", "=\n"])
def test_a_key_that_a_line_end_breaks_early(at: int, end: str) -> None:
    broken = KEY[:at] + end + KEY[at:]

    assert spans(f"key {broken}") == [("secret", broken, True)]
    assert find(f"sk-proj-{end}and-then-nothing-of-that-sort-follows") == []


@pytest.mark.parametrize("padding", ["==", "%3D%3D", "\\u003d\\u003d", ""])
def test_the_padding_of_a_key(padding: str) -> None:
    value = keys()["gigachat-key"][0].rstrip("=") + padding

    assert spans(f"x={value}") == [("secret", value, True)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("/?email=ivan.petrov%40mail.ru&x=1", "email", "ivan.petrov%40mail.ru"),
        ("/?phone=%2B79161234567", "phone", "%2B79161234567"),
        ("ivan&#64;mail.ru", "email", "ivan&#64;mail.ru"),
        ("ivan&#x40;mail.ru", "email", "ivan&#x40;mail.ru"),
        ('"ivan\\u0040mail.ru"', "email", "ivan\\u0040mail.ru"),
        ("8&nbsp;(495)&nbsp;123-45-67", "phone", "8&nbsp;(495)&nbsp;123-45-67"),
        ("ivan\\_petrov@mail.ru", "email", "ivan\\_petrov@mail.ru"),
        ("%D0%98%D0%9D%D0%9D=7707083893", "inn", "7707083893"),
        (json.dumps({"ИНН": 7707083893}), "inn", "7707083893"),
        (json.dumps({"ИНН": "7707083893"}), "inn", "7707083893"),
    ],
)
def test_personal_data_with_escapes(text: str, kind: str, value: str) -> None:
    assert spans(text) == [(kind, value, True)]


def test_every_character_is_carried_back_to_where_it_was() -> None:
    text = "a\\u0040b%2Bc\u00add&#64;e\x1b[0mf %D0%98 =3D \\_ \ud83d\ufe0f"
    plain = Plain(text)

    from llmctl.privacy.detect.finding import Finding

    places = [plain.original(Finding("x", at, at + 1)) for at in range(len(plain.text))]

    assert plain.text == "a@b+cd@ef И = _ \ud83d"
    assert [text[one.start : one.end] for one in places] == [
        "a", "\\u0040", "b", "%2B", "c", "d", "&#64;", "e", "f", " ", "%D0%98", " ", "=3D", " ",
        "\\_", " ", "\ud83d",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["100%25 %s %d %5.2f %(x)s %zz", "C:\\new\\users\\x", "a \\ b", "AT&T & co; &unknown; &#;",
     "x == 3D", "https://u:p%40ss@host", "%FF%FE %C3("],
)  # fmt: skip
def test_what_is_no_escape_stays(text: str) -> None:
    assert Plain(text).text == text.replace("%25", "%")


def test_the_password_of_a_url_keeps_its_escapes() -> None:
    for number in range(200):
        password = quote(drawn(ALNUM + "!#$%&*()+[]^_{}|~@/:?<>", 16, number), safe="")
        url = f"postgres://app:{password}@db.internal:5432/prod"

        assert spans(url) == [("secret", password, True)], url
