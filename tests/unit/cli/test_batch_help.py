"""What `llmctl batch --help` shows can be typed as it stands."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise

import pytest
import typer
from typer.testing import CliRunner

from llmctl import resources, templates
from llmctl.cli import batch

EXAMPLES = re.compile(r"^Examples: ")


def examples() -> Iterator[str]:
    for command in batch.app.registered_commands:
        text = EXAMPLES.sub("", command.epilog or "")
        yield from (one.split(" | ")[-1 if one.startswith("generate") else 0]
                    for one in text.split(" · "))  # fmt: skip


def values_of(words: list[str], flag: str) -> list[str]:
    return [value for one, value in pairwise(words) if one == flag]


def test_examples_are_there() -> None:
    assert len(list(examples())) > 10


@pytest.mark.parametrize("example", [one for one in examples() if " -t " in one])
def test_templates_and_their_variables_exist(example: str) -> None:
    words = shlex.split(example)
    [name] = values_of(words, "-t")
    template = templates.load(name, [resources.config() / "templates"])
    given = dict(one.split("=", 1) for one in values_of(words, "-p"))

    template.check(given)
    assert template.render(given, "Hello").messages


def test_the_list_of_commands_says_what_the_group_is_and_is_not_cut() -> None:
    shown = CliRunner().invoke(batch.app, ["--help"], env={"COLUMNS": "80"}).output

    assert "Many prompts from a file" in shown
    assert "submit" in shown
    assert "..." not in shown.partition("Commands:")[2]


@pytest.mark.parametrize("name", ["run", "submit"])
def test_files_of_a_row_and_files_of_all_rows_name_each_other(name: str) -> None:
    command = typer.main.get_command(batch.app).commands[name]  # type: ignore[attr-defined]
    helps = {one.opts[-1]: str(getattr(one, "help", None)) for one in command.params}

    assert "--attachments" in helps["--attachment"]
    assert "-a:" in helps["--attachments"]
