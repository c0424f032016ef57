"""The file of keys: private, repaired where it is not, and never a link."""

from pathlib import Path

import pytest

from llmctl.errors import ConfigError
from llmctl.keys import file
from tests.unit.keys.shared import KEY


def test_the_file_is_private_and_repaired() -> None:
    file.write({"openai": KEY})
    path = file.key_file()

    def modes() -> tuple[int, int]:
        return path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777

    assert modes() == (0o600, 0o700)
    path.chmod(0o644)
    path.parent.chmod(0o755)
    assert file.read() == {"openai": KEY}
    assert modes() == (0o600, 0o700)


def test_no_file_is_no_key() -> None:
    assert file.read() == {}
    assert not file.drop("openai")
    assert not file.key_file().exists()


def test_a_link_in_place_of_the_file_is_refused(folders: Path) -> None:
    file.write({"other": KEY})
    path = file.key_file()
    path.rename(folders / "elsewhere.json")
    path.symlink_to(folders / "elsewhere.json")

    with pytest.raises(ConfigError, match="link"):
        file.read()


@pytest.mark.parametrize("text", ["{", "[]", '{"openai": 5}', '"key"', "\x00"])
def test_a_damaged_file_is_named(text: str) -> None:
    file.write({"openai": KEY})
    file.key_file().write_text(text)

    with pytest.raises(ConfigError, match=r"keys\.json"):
        file.read()


def test_a_file_that_cannot_be_read_is_named() -> None:
    file.key_file().mkdir(parents=True)

    with pytest.raises(ConfigError, match=r"keys\.json: Is a directory"):
        file.read()


def test_dropping_leaves_the_others() -> None:
    file.write({"openai": KEY, "other": KEY})

    assert file.drop("openai")
    assert file.read() == {"other": KEY}
