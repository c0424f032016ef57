"""The report of a job in a real browser: it renders and sorts, asks for nothing, and nothing that a
row holds runs in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from llmctl.output.report.batch import batch_page
from tests.browser import browser, chromium
from tests.jobs import (
    SUMMARY,
    failures,
    hostile_failures,
    hostile_rows,
    hostile_summary,
    rows,
)

PATH = chromium()
pytestmark = pytest.mark.skipif(PATH is None, reason="there is no Chromium here")

PHONE = 390  # CSS pixels
Theme = Literal["light", "dark"]


@dataclass
class Seen:
    """A page, and what it said or asked for beside its own file."""

    page: Page
    noise: list[str] = field(default_factory=list)


Opened = Callable[..., Seen]


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    assert PATH is not None
    with browser(PATH) as running:
        yield running


@pytest.fixture
def opened(started: Browser, tmp_path: Path) -> Iterator[Opened]:
    contexts = []

    def open_(text: str, *, width: int = 1280, theme: Theme = "light") -> Seen:
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        context = started.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        seen = Seen(page)
        address = path.as_uri()
        context.route(
            "**/*", lambda route: route.continue_() if route.request.url == address
            else route.abort()
        )  # fmt: skip
        page.on("request", lambda one: None if one.url == address else seen.noise.append(one.url))
        page.on("console", lambda one: seen.noise.append(one.text))
        page.on("pageerror", lambda one: seen.noise.append(str(one)))
        page.on("popup", lambda one: seen.noise.append(one.url))
        page.goto(address)
        return seen

    yield open_
    for context in contexts:
        context.close()


def report() -> str:
    return batch_page(SUMMARY, rows(), failures())


def hostile() -> str:
    return batch_page(hostile_summary(), hostile_rows(), hostile_failures())


def test_the_report_is_shown_without_an_error_and_without_a_request(opened: Opened) -> None:
    seen = opened(report())

    assert seen.page.title() == "Job: out.jsonl · llmctl"
    assert seen.page.locator("h1").inner_text() == "Rows answered: 300 of 306"
    # Two of times, two of tokens, one each of two currencies, one of causes.
    assert seen.page.locator("figure svg:visible").count() == 7
    assert seen.page.locator("article.answer:visible").count() == 24
    assert seen.page.evaluate("document.documentElement.className") == "scripted"
    assert seen.noise == []


def test_models_are_sorted_by_a_press(opened: Opened) -> None:
    seen = opened(report())
    names = seen.page.locator("table.figures tbody .named bdi")
    button = seen.page.locator("table.figures th", has_text="Median time").locator("button")
    before = names.all_inner_texts()

    button.click()

    assert before == ["openai/gpt-6-luna", "gigachat/GigaChat-2"]
    assert names.all_inner_texts() == ["gigachat/GigaChat-2", "openai/gpt-6-luna"]


def test_causes_unfold_with_their_examples(opened: Opened) -> None:
    page = opened(report()).page
    assert page.get_by_text("Too many requests").count() == 2
    assert not page.get_by_text("Too many requests").first.is_visible()

    page.locator("summary", has_text="rate-limited").click()

    assert page.get_by_text("Too many requests").first.is_visible()


def test_hostile_rows_run_nothing_and_ask_for_nothing(opened: Opened) -> None:
    seen = opened(hostile())
    page = seen.page

    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for head in page.locator("table.figures th button").all():
        head.click()

    assert page.title() != "owned"
    assert page.locator("script").count() == 1
    assert page.locator("body :is(img, iframe, link, style, base, form, meta, input)").count() == 0
    assert page.evaluate("""[...document.querySelectorAll("*")].every((one) =>
      one.getAttributeNames().every((name) => !/^on|^style$|^src/.test(name)))""")
    assert page.locator("section").count() == 7  # nothing was closed too early
    assert seen.noise == []


@pytest.mark.parametrize("width", [320, PHONE, 1280])
@pytest.mark.parametrize("made", [report, hostile])
def test_the_page_is_never_wider_than_the_screen(
    opened: Opened, made: Callable[[], str], width: int
) -> None:
    page = opened(made(), width=width).page
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")

    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [PHONE, 1440])
def test_no_text_of_a_chart_covers_another(opened: Opened, width: int) -> None:
    page = opened(report(), width=width).page

    covered = page.locator("figure svg").evaluate_all("""all => all.flatMap((svg) => {
      const texts = [...svg.querySelectorAll("text")].map((one) =>
        [one.textContent, one.getBoundingClientRect()]);
      return texts.flatMap(([name, a], at) => texts.slice(at + 1)
        .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
          && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
        .map(([other]) => `${name} / ${other}`));
    })""")
    assert covered == []
