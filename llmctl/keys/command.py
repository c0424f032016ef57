"""The user's own command that prints a key, such as `pass show openai`."""

from llmctl.errors import AuthFailed
from llmctl.messages import _

SECONDS = 10.0


def ask(command: tuple[str, ...], provider: str) -> str:
    """The first line that the command prints. Raises AuthFailed, which shows nothing of it."""
    import shlex
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603  the user wrote this command down; no shell reads it
            command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=SECONDS, check=True
        )
        key = done.stdout.decode().partition("\n")[0].strip()
        why = _("its first line is empty")
    except OSError as error:
        key, why = "", error.strerror or type(error).__name__
    except subprocess.TimeoutExpired:
        key, why = "", _("it took longer than {seconds:g} s", seconds=SECONDS)
    except subprocess.CalledProcessError as error:
        key, why = "", _("it ended with exit code {code}", code=error.returncode)
    except UnicodeDecodeError:
        key, why = "", _("what it printed is not UTF-8")
    if key:
        return key
    raise AuthFailed(
        _("the key_command of {provider} failed: {why}", provider=provider, why=why),
        hint=_("try it by hand: {command}", command=shlex.join(command)),
        provider=provider,
        reason="key-command",
    )
