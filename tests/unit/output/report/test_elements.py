"""Markup that cannot be broken out of. What is escaped how is HTML's own rule."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmctl.output.report.elements import Markup, escaped, harmless, joined, said, tag


class Seen(HTMLParser):
    """What a parser of HTML makes of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_text_is_escaped_and_markup_is_not_twice() -> None:
    inner = tag("b", "a < b & c")

    assert tag("p", inner, " <i>") == "<p><b>a &lt; b &amp; c</b> &lt;i&gt;</p>"


def test_what_was_joined_as_a_string_is_text_again() -> None:
    loose = tag("b", "x") + "<script>"

    assert tag("p", loose) == "<p>&lt;b&gt;x&lt;/b&gt;&lt;script&gt;</p>"


def test_children_may_be_numbers_nothing_and_nested() -> None:
    assert joined("a", None, [1, ["b", (tag("br"),)]]) == "a1b<br>"


def test_attributes_are_named_and_quoted() -> None:
    made = tag("td", class_="a", data_v="\"'<&", aria_label=None, open=True, hidden=False, x=1.50)

    assert made == '<td class="a" data-v="&quot;&#39;&lt;&amp;" open x="1.5"></td>'


def test_elements_of_svg_end_themselves() -> None:
    assert tag("path", d="M0 0") == '<path d="M0 0"/>'


@pytest.mark.parametrize("name", ["script", "style", "iframe", "img", "a b", "b onclick=x", "form"])
def test_an_element_that_could_run_or_fetch_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="element"):
        tag(name)


@pytest.mark.parametrize("name", ["onclick", "ONLOAD", "style", "src", "srcdoc", "formaction",
                                  "xlink:href", "x=y", "ping"])  # fmt: skip
def test_an_attribute_that_could_run_or_fetch_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="attribute"):
        tag("p", **{name: "x"})


@pytest.mark.parametrize("target", ["javascript:x", "https://example.org/", "//x", "data:,", " #a"])
def test_links_lead_into_the_page_alone(target: str) -> None:
    assert tag("a", "x", href="#a") == '<a href="#a">x</a>'
    with pytest.raises(ValueError, match="out of the page"):
        tag("a", href=target)


def test_what_drives_something_is_shown() -> None:
    """Control pictures stand at U+2400 in the order of the controls."""
    assert harmless("a\r\nb\tc") == "a\nb\tc"
    assert harmless("\x1b\x00\x7f") == "\u241b\u2400\u2421"
    assert harmless("\u202e\u2066") == "<U+202E><U+2066>"
    assert harmless("\ud800x") == "\ufffdx"
    assert escaped("\u202e") == "&lt;U+202E&gt;"


def test_what_others_wrote_is_isolated_and_on_one_line() -> None:
    assert said("אב\nג") == "<bdi>אב ג</bdi>"


@given(st.text(), st.text())
def test_a_parser_sees_one_element_and_the_text_whatever_it_is(text: str, value: str) -> None:
    seen = Seen(tag("p", text, title=value))

    assert [name for name, _values in seen.tags] == ["p"]
    assert seen.tags[0][1] == {"title": harmless(value)}
    assert seen.text == harmless(text)


def test_markup_is_text() -> None:
    assert isinstance(tag("p"), Markup)
    assert isinstance(tag("p") + "", str)
    assert not isinstance(tag("p") + "", Markup)
