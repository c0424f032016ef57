"""The files that settings are read from."""

from pathlib import Path

from llmctl import settings


def user(text: str) -> Path:
    """The user's settings file with this text."""
    file = settings.user_file()
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def project(root: Path, text: str) -> Path:
    """The project file of the repository that the tests work in."""
    file = root / "repository" / ".llmctl.toml"
    file.write_text(text)
    return file
