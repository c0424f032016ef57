"""Opens a file in the user's editor."""

import os
import shlex
from pathlib import Path

from llmctl.errors import ConfigError
from llmctl.messages import _


def edit_file(path: Path) -> None:
    """Wait for the editor to end; raises ConfigError where there is none or it fails."""
    import subprocess

    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        done = subprocess.run([*shlex.split(command), str(path)], check=False)  # noqa: S603  the user's own
    except (OSError, ValueError) as error:
        raise ConfigError(
            _("the editor {command} does not start: {why}", command=command,
              why=type(error).__name__),
            hint=_("name one that is there: EDITOR=nano"),
        ) from None  # fmt: skip
    if done.returncode:
        raise ConfigError(
            _("the editor ended with {code}; nothing was checked", code=done.returncode)
        )
