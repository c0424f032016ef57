import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmctl.errors import IoFailed, UsageError
from llmctl.output import streams
from llmctl.output.choose import renderer
from llmctl.output.terminal import Terminal
from tests.unit.output.shared import ON_TERMINAL, PIPED, SCREEN

DUMB = ON_TERMINAL._replace(stdout=SCREEN._replace(cursor=False))


@pytest.mark.parametrize(
    ("flags", "terminal", "name"),
    [
        ({}, PIPED, "Plain"),
        ({}, ON_TERMINAL, "Markdown"),
        ({}, DUMB, "Plain"),
        ({"markdown": False}, ON_TERMINAL, "Plain"),
        ({"output": "-"}, ON_TERMINAL, "Markdown"),
        ({"json": True}, ON_TERMINAL, "Document"),
        ({"json": True, "schema": True}, PIPED, "Document"),
        ({"events": True}, ON_TERMINAL, "Events"),
        ({"extract": True}, ON_TERMINAL, "Whole"),
        ({"schema": True}, ON_TERMINAL, "Whole"),
    ],
)
def test_the_renderer_for_each_flag(
    flags: dict[str, object], terminal: Terminal, name: str
) -> None:
    assert type(renderer(terminal=terminal, **flags)).__name__ == name  # type: ignore[arg-type]


def test_a_file_gets_no_drawing(tmp_path: Path) -> None:
    chosen = renderer(output=str(tmp_path / "a"), terminal=ON_TERMINAL)

    assert type(chosen).__name__ == "Plain"


@pytest.mark.parametrize("flags", [("json", "events"), ("json", "extract"), ("events", "extract")])
def test_formats_exclude_one_another(flags: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="exclude one another"):
        renderer(terminal=PIPED, **dict.fromkeys(flags, True))  # type: ignore[arg-type]


def test_bad_names_are_known_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="klingon"):
        renderer(encoding="klingon", terminal=PIPED)
    with pytest.raises(IoFailed):
        renderer(output=str(tmp_path / "no" / "file"), terminal=PIPED)


def test_the_encoding_is_that_of_standard_output(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    renderer(encoding="koi8-r", terminal=PIPED)
    streams.out("да")

    assert capsysbinary.readouterr().out == b"\xc4\xc1"


def test_a_piped_answer_loads_nothing_it_does_not_need() -> None:
    program = (
        "import sys; from llmctl.output.choose import renderer\n"
        "from llmctl.types import *\n"
        "show = renderer(); show.event(TextDelta('x'))\n"
        "show.finish(Receipt(id='', started_at='', requested=''))\n"
        "heavy = {'rich', 'markdown_it', 'pygments', 'json', 'decimal', 'asyncio', 'threading',\n"
        "         'shutil', 'tempfile', 'unicodedata', 'llmctl.output.markdown'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-S", "-c", program]

    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)

    assert done.stdout == "x\n[]\n"
