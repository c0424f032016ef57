"""Waiting for one's turn at a provider that takes one request at a time from an account.

Processes know nothing of each other but what the operating system tells them: the turn is a lock
on a file, which is free again when its holder ends, however that happens.
"""

import hashlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from llmctl.cards import Card
from llmctl.errors import IoFailed
from llmctl.keys import Secret
from llmctl.messages import _
from llmctl.settings import ProviderSettings
from llmctl.types import Notice

# From here on the user wonders what is going on.
SILENT_S = 1.0


def concurrency(card: Card, own: ProviderSettings, stated: Mapping[str, str]) -> int | None:
    """How many requests at a time an account may have: by the settings, else by the card at the
    values of its own settings; None where nothing is known."""
    if own.concurrency is not None:
        return own.concurrency
    for name, by_value in card.limits.concurrency_by.items():
        if (found := by_value.get(stated.get(name, ""))) is not None:
            return found
    return card.limits.concurrency


def turn_file(
    card: Card,
    own: ProviderSettings,
    base_url: str,
    secret: Secret | None,
    stated: Mapping[str, str],
) -> Path | None:
    """The file whose lock is the one turn there is for this key at this address; None where
    several requests at a time are fine."""
    if concurrency(card, own, stated) != 1:
        return None
    from llmctl.settings.places import paths

    account = f"{base_url}\0{secret.reveal() if secret else ''}"
    digest = hashlib.sha256(account.encode()).hexdigest()[:16]
    return paths().data / "turns" / f"{card.id}-{digest}.lock"


async def await_turn(
    file: Path, held: ExitStack, provider: str, is_over: Callable[[], bool]
) -> AsyncGenerator[Notice, None]:
    """Ends when it is our turn, which `held` gives back; says once that we are waiting. Raises
    TimeoutError as soon as `is_over`. Where no file can be locked, everybody is free to go."""
    from llmctl.transport.turn import tries

    told = False
    try:
        async for waited in tries(file, held):
            if is_over():
                raise TimeoutError
            if waited >= SILENT_S and not told:
                told = True
                yield Notice(
                    "queued",
                    _("{provider} takes one request at a time; waiting for another llmctl to be"
                      " done with it.", provider=provider),
                )  # fmt: skip
    except IoFailed:
        return
