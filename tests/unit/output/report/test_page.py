"""The document around a report."""

import base64
import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files

import pytest

from llmctl import messages
from llmctl.output.report import page
from llmctl.output.report.elements import tag


@pytest.fixture(autouse=True)
def _language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGUAGE", "en")
    messages.lookup.cache_clear()
    yield
    messages.lookup.cache_clear()


def between(text: str, name: str) -> list[str]:
    return re.findall(f"<{name}>(.*?)</{name}>", text, re.DOTALL)


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_allows_this_style_and_this_script_alone() -> None:
    made = page.document("title", tag("p", "x"))
    [style], [script] = between(made, "style"), between(made, "script")
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', made)

    assert policy == [
        f"default-src 'none'; style-src 'sha256-{sha256(style)}'; "
        f"script-src 'sha256-{sha256(script)}'; base-uri 'none'; form-action 'none'"
    ]


def test_nothing_is_named_that_could_be_fetched() -> None:
    made = page.document("title", tag("p", "x"))

    assert re.findall(r"https?:|//[a-z]|url\(|@import|\ssrc=|\shref=|\sstyle=", made) == [
        found for found in re.findall(r"//[a-z]", made) if "\n" in found
    ]


def test_style_and_script_stand_beside_the_module_and_cannot_end_their_element() -> None:
    for name in page.NAMES:
        text = (files("llmctl.output.report") / name).read_text(encoding="utf-8")
        assert "</" not in text
        assert page.resource(name) == text.replace("\r\n", "\n")


def test_the_title_is_text() -> None:
    assert "<title>a &lt;/title&gt; b</title>" in page.document("a </title> b")


def test_the_language_is_that_of_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert page.shown_in("ru") == "en"  # texts are English, whatever was asked for
    monkeypatch.setenv("LANGUAGE", "ru_RU.UTF-8")
    messages.lookup.cache_clear()
    assert page.shown_in() == "ru-RU"
    assert page.shown_in("ru") == "ru"
    assert '<html lang="ru-RU">' in page.document("t")
    monkeypatch.setenv("LANGUAGE", "de")  # no such catalogue
    messages.lookup.cache_clear()
    assert page.shown_in() == "en"
