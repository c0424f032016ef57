"""Completion: a script for each shell, and the tree of all commands behind it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from llmctl.cli.commands import COMMANDS
from llmctl.cli.completion import Shell, full_app

SHELLS = [shell.value for shell in Shell]


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    home = {"HOME": "/nonexistent", "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "llmctl", *arguments],
        env={**home, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_every_command_is_in_the_tree() -> None:
    app = full_app()

    singles = {command.name for command in app.registered_commands}
    groups = {group.name for group in app.registered_groups}

    assert singles | groups == set(COMMANDS)
    assert singles == {name for name, command in COMMANDS.items() if command.single}
    assert isinstance(app, typer.Typer)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_names_the_program_and_its_variable(shell: str) -> None:
    done = run("completion", shell)

    assert (done.returncode, done.stderr) == (0, "")
    assert "llmctl" in done.stdout
    assert "_LLMCTL_COMPLETE" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_valid_in_its_shell(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} on this machine")
    script = tmp_path / "script"
    script.write_text(run("completion", shell).stdout)

    subprocess.run([program, "-n", str(script)], check=True, timeout=30)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("llmctl mod", {"models"}),
        ("llmctl keys ", {"set", "list", "rm"}),
        ("llmctl ask --local", {"--local-only"}),
        ("llmctl completion f", {"fish"}),
    ],
)
def test_words_are_completed(typed: str, offered: set[str]) -> None:
    words = typed.split(" ")

    done = run(
        _LLMCTL_COMPLETE="complete_bash",
        COMP_WORDS="\n".join(words),
        COMP_CWORD=str(len(words) - 1),
    )

    assert offered <= set(done.stdout.split())
    assert done.stderr == ""


def test_an_unknown_shell_is_usage() -> None:
    assert run("completion", "tcsh").returncode == 2
