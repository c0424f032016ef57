"""The HTML report in a real browser: it renders, sorts, asks for nothing, and nothing that a model
wrote runs in it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, Route

from llmctl.output.report.compare import compare_html
from tests.browser import browser, chromium
from tests.comparisons import Rates, hostile, many, sample, summary

ROOT = Path(__file__).parent.parent.parent
PATH = chromium()
pytestmark = pytest.mark.skipif(PATH is None, reason="there is no Chromium here")

PHONE = 390  # CSS pixels
CONTRAST = 4.5  # WCAG 2.2, 1.4.3, level AA
Theme = Literal["light", "dark"]

# The contrast of every text with what lies behind it, by WCAG's formula; the least one is told.
CONTRASTS = """() => {
  const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parts = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const found = parts(getComputedStyle(one).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const seen = [];
  for (const one of document.querySelectorAll("body *")) {
    const svg = one.namespaceURI.endsWith("svg");
    if (svg && one.localName !== "text") continue;
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || ["SCRIPT", "STYLE"].includes(one.tagName)) continue;
    const style = getComputedStyle(one);
    const [a, b] = [luminance(parts(svg ? style.fill : style.color)), luminance(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const name = `${one.tagName}.${one.getAttribute("class")}`;
    seen.push([ratio, `${name}: ${one.textContent.slice(0, 40)}`]);
  }
  return seen.sort((one, other) => one[0] - other[0]).slice(0, 3);
}"""


@dataclass
class Seen:
    """A page and what it did: lines of the console, errors, requests but for the file itself."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    held_back: list[str | None] = field(default_factory=list)

    def quiet(self) -> bool:
        return not self.console and not self.requests

    def column(self, number: int) -> list[str]:
        """The texts of one column of the table of all figures, from the top down."""
        cells = self.page.locator(f"table.figures tbody tr > :nth-child({number + 1})")
        return [text.split("\n")[0].strip() for text in cells.all_inner_texts()]

    def models(self) -> list[str]:
        return [text.split("/")[-1] for text in self.page.locator(
            "table.figures tbody .named bdi").all_inner_texts()]  # fmt: skip


Opened = Callable[..., Seen]


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    assert PATH is not None
    with browser(PATH) as running:
        yield running


@pytest.fixture
def opened(started: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Opens a report from a file, with every request but that for the file itself refused."""
    contexts = []

    def open_(text: str, *, width: int = 1280, theme: Theme = "light") -> Seen:
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        context = started.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        seen = Seen(page)

        def routed(route: Route) -> None:
            route.continue_() if route.request.url == path.as_uri() else route.abort()

        def asked(request: Request) -> None:
            if request.url != path.as_uri():
                seen.requests.append(request.url)

        def told(message: ConsoleMessage) -> None:
            seen.console.append(message.text)

        def dismissed(dialog: Dialog) -> None:
            seen.console.append(dialog.message)
            dialog.dismiss()

        context.route("**/*", routed)
        page.on("request", asked)
        page.on("requestfailed", lambda request: seen.held_back.append(request.failure))
        page.on("console", told)
        page.on("pageerror", lambda error: seen.console.append(str(error)))
        page.on("dialog", dismissed)
        page.on("popup", lambda popup: seen.requests.append(popup.url))
        page.goto(path.as_uri())
        return seen

    yield open_
    for context in contexts:
        context.close()


def report() -> str:
    made = sample()
    return compare_html(made, summary(made))


# ---- it renders --------------------------------------------------------------------------------


def test_the_report_is_shown_without_an_error_and_without_a_request(opened: Opened) -> None:
    seen = opened(report())

    assert seen.page.title() == "Recommended: gigachat/GigaChat-2 · llmctl"
    assert seen.page.locator("h1").inner_text() == "Recommended: gigachat/GigaChat-2"
    assert seen.page.locator("figure svg:visible").count() == 6
    assert seen.page.locator("article.answer:visible").count() == 5
    assert seen.page.evaluate("document.documentElement.lang") == "en"
    assert seen.quiet(), (seen.console, seen.requests)


def test_the_style_is_applied_and_the_script_runs(opened: Opened) -> None:
    """Both only if their hashes are right."""
    page = opened(report()).page

    assert page.evaluate("getComputedStyle(document.querySelector('.tile')).borderRadius") == "8px"
    assert page.evaluate("document.documentElement.className") == "scripted"


def test_nothing_else_may_run(opened: Opened) -> None:
    """What is put into the page afterwards is held back by its policy."""
    seen = opened(report())

    seen.page.evaluate("""() => {
      const added = document.createElement("script");
      added.textContent = "document.title = 'owned'";
      document.body.append(added);
      const image = document.createElement("img");
      image.src = "http://192.0.2.1/x.png";
      document.body.append(image);
      document.body.insertAdjacentHTML("beforeend", "<b style='color:red' onclick='x'>x</b>");
    }""")

    assert seen.page.title() != "owned"
    assert seen.held_back == ["csp"]  # the browser told of the request and did not make it
    assert sum("Content Security Policy" in line for line in seen.console) >= 3


def test_answers_of_further_repeats_unfold(opened: Opened) -> None:
    page = opened(report()).page

    page.get_by_text("Repeat 2 of 5").click()

    assert page.locator("article.answer:visible").count() == 10


# ---- it sorts ----------------------------------------------------------------------------------


def test_a_press_sorts_and_another_turns_round(opened: Opened) -> None:
    seen = opened(report())
    head = seen.page.locator("table.figures th", has_text="Whole answer")
    place = seen.column(0)
    button = head.locator("button")

    button.click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert seen.models() == ["GigaChat-2", "yandexgpt-5-lite", "gpt-6-luna", "smollm2-135m",
                             "qwen3:0.6b", "deepseek-chat"]  # fmt: skip
    button.click()
    assert head.get_attribute("aria-sort") == "descending"
    assert seen.models() == ["qwen3:0.6b", "smollm2-135m", "gpt-6-luna", "yandexgpt-5-lite",
                             "GigaChat-2", "deepseek-chat"]  # fmt: skip
    assert len(place) == 6
    assert seen.page.locator("th[aria-sort=descending], th[aria-sort=ascending]").count() == 1
    assert seen.quiet()


def test_the_keyboard_sorts_too(opened: Opened) -> None:
    seen = opened(report())
    head = seen.page.locator("table.figures th", has_text="Privacy")

    head.locator("button").focus()
    seen.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert seen.models()[:3] == ["smollm2-135m", "qwen3:0.6b", "yandexgpt-5-lite"]
    seen.page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "descending"
    assert seen.models()[0] == "deepseek-chat"


def test_every_heading_is_reached_by_the_keyboard_and_shows_it(opened: Opened) -> None:
    page = opened(report()).page
    page.locator("table.figures").evaluate("one => one.parentElement.focus()")

    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.textContent") == "Model"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_more_is_better_comes_first(opened: Opened) -> None:
    seen = opened(report())

    seen.page.locator("table.figures th", has_text="Checks").locator("button").click()

    assert seen.column(1) == ["100\u00a0%", "100\u00a0%", "80\u00a0%",
                                                 "60\u00a0%", "0\u00a0%", "–"]  # fmt: skip


def test_costs_of_different_currencies_stay_apart(opened: Opened) -> None:
    """Roubles before dollars by their code, whichever way; with a rate by what they come to."""
    seen = opened(report())
    button = seen.page.locator("table.figures th", has_text="Cost of a run").locator("button")

    button.click()
    assert seen.models() == ["smollm2-135m", "qwen3:0.6b", "GigaChat-2", "yandexgpt-5-lite",
                             "gpt-6-luna", "deepseek-chat"]  # fmt: skip
    made = sample()
    seen = opened(compare_html(made, summary(made, rates=Rates())))
    button = seen.page.locator("table.figures th", has_text="Cost of a run").locator("button")
    button.click()
    assert seen.models() == ["smollm2-135m", "qwen3:0.6b", "gpt-6-luna", "GigaChat-2",
                             "yandexgpt-5-lite", "deepseek-chat"]  # fmt: skip


# ---- what is hostile ---------------------------------------------------------------------------


def test_a_hostile_answer_runs_nothing_and_asks_for_nothing(opened: Opened) -> None:
    made = hostile()
    seen = opened(compare_html(made, summary(made)))
    page = seen.page

    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for head in page.locator("table.figures th button").all():
        head.click()
    page.mouse.move(300, 300)

    assert "owned" not in page.evaluate("document.title").replace("document.title='owned'", "")
    assert page.locator("script").count() == 1
    assert page.locator("body :is(img, iframe, link, style, base, form, meta, input)").count() == 0
    assert page.evaluate("""[...document.querySelectorAll("*")].every((one) =>
      one.getAttributeNames().every((name) => !/^on|^style$|^src/.test(name)))""")
    assert page.locator("section").count() >= 7  # nothing was closed too early
    assert seen.quiet(), (seen.console, seen.requests)


def test_a_hostile_answer_does_not_reach_out_of_its_place(opened: Opened) -> None:
    """Neither by its width, nor by marks that are stacked on letters, nor by its direction."""
    made = hostile()
    page = opened(compare_html(made, summary(made)), width=PHONE).page

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    styles = page.locator(".answer .text").evaluate_all(
        "all => all.map(one => [getComputedStyle(one).overflowX, one.dir])"
    )
    assert {overflow for overflow, _direction in styles} <= {"clip", "hidden", "auto"}
    assert {direction for _overflow, direction in styles} == {"auto"}


# ---- how it looks ------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read(opened: Opened, theme: Theme) -> None:
    page = opened(report(), theme=theme).page
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")

    least, where = page.evaluate(CONTRASTS)[0]

    assert least >= CONTRAST, where


def test_the_themes_differ(opened: Opened) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"

    light = opened(report(), theme="light").page.evaluate(paper)
    dark = opened(report(), theme="dark").page.evaluate(paper)

    assert light == "rgb(251, 251, 249)"
    assert dark == "rgb(20, 23, 27)"


@pytest.mark.parametrize("width", [320, PHONE, 768])
def test_the_page_is_never_wider_than_the_screen(opened: Opened, width: int) -> None:
    page = opened(report(), width=width).page
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


def test_charts_can_be_read_on_a_telephone(opened: Opened) -> None:
    page = opened(report(), width=PHONE).page

    heights = page.locator("figure svg text").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert min(heights) >= 9.0  # CSS pixels of a line


def test_on_paper_it_is_light_and_nothing_is_cut_off(opened: Opened) -> None:
    page = opened(report(), width=1040, theme="dark").page
    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for table in page.locator("table:visible").all():
        box = table.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1040
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_a_thousand_runs_open_and_sort_at_once(opened: Opened) -> None:
    made = many()
    seen = opened(compare_html(made, summary(made, chosen=None)))

    seen.page.locator("table.figures th", has_text="Tokens/s").locator("button").click()

    assert seen.page.locator("article").count() == 1000
    assert seen.quiet()


def test_pictures_for_the_docs_are_taken(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(report(), encoding="utf-8")

    # In a process of its own: Playwright runs once in each.
    command = [sys.executable, "-m", "tests.screenshots", str(page), str(tmp_path / "images")]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120, check=False)  # fmt: skip

    assert done.returncode == 0, done.stderr
    written = [Path(line) for line in done.stdout.splitlines()]
    assert [path.name for path in written] == [
        *("compare-light.png", "compare-dark.png", "compare-phone.png")
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
