"""Of all the cards there are, a run reads the one it uses."""

import subprocess
import sys

from tests.e2e.harness import Llmctl

CARD = """\
card = 1
id = "mine{number}"
name = "Mine"
kind = "local"
dialect = "openai_chat"

[endpoint]
base_url = "{url}"
"""
# What is opened is asked of the interpreter itself.
WATCHED = """\
import sys
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
from llmctl.cli.start import dispatch
dispatch(sys.argv[1:])
sys.stderr.write("".join(one + chr(10) for one in opened if "providers" in one))
"""


def opened(llmctl: Llmctl, *arguments: str) -> list[str]:
    """The names of files with cards that a run opens, in order."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *arguments],
        env=llmctl.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.endswith(".toml")]
    return [line.rpartition("/")[2] for line in lines]


def with_cards(llmctl: Llmctl, count: int) -> None:
    folder = llmctl.config / "providers"
    folder.mkdir(parents=True)
    url = llmctl.env["LLMCTL_PROVIDERS__OPENAI__BASE_URL"]
    for number in range(count):
        (folder / f"mine{number}.toml").write_text(CARD.format(number=number, url=url))


def test_one_of_many_cards_of_the_user_is_read(llmctl: Llmctl) -> None:
    with_cards(llmctl, 50)

    assert opened(llmctl, "ask", "--no-log", "-m", "mine7/mock", "hi") == ["mine7.toml"]


def test_one_of_the_shipped_cards_is_read(llmctl: Llmctl) -> None:
    with_cards(llmctl, 50)

    assert opened(llmctl, "ask", "--no-log", "-m", "ollama/mock", "hi") == ["ollama.toml"]
