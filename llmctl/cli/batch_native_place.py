"""What the commands for handed-in jobs share: the job's state and where it is, and the list of
jobs that this machine knows."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl import files, settings
from llmctl.batch.native import NativeFiles, NativeJob
from llmctl.batch.native_handing import Store
from llmctl.cli.batch_files import place_of_output
from llmctl.dialects.batches import OneByOne
from llmctl.engine.batches import Batching, Exchanging
from llmctl.engine.offered import by_batch, offered, settings_for
from llmctl.engine.resolve import resolve
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.errors import ConfigError, UsageError
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.terminal import safe_line
from llmctl.transport.exchange import Lane
from llmctl.types import Notice
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.dialects.batches import AnyBatches
    from llmctl.settings import Loaded

KNOWN = "handed-in.json"  # in the data folder: the outputs of jobs
LOCK_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the sets of a job are. `route` leads to its provider, `loaded` has the settings under
    which it takes sets."""

    route: Route
    batches: "AnyBatches"
    loaded: "Loaded"

    @asynccontextmanager
    async def exchanging(self) -> AsyncIterator[Exchanging]:
        network = self.loaded.settings.network
        retries = Retries(network.retries, network.backoff, max_wait=network.max_wait)
        async with Lane(self.route.target) as lane:
            yield Exchanging(self.route, lane, retries)

    def batching(self, store: Store, exchanging: Exchanging) -> Batching | None:
        """None where each row is an operation of its own."""
        if isinstance(self.batches, OneByOne):
            return None
        known = [one.job for one in store.job.parts if one.job is not None]
        return Batching(self.batches, exchanging, known=known)

    def routes(self) -> Callable[[str], Route]:
        """To each of the provider's models, found once."""
        found: dict[str, Route] = {}

        def route(name: str) -> Route:
            if name not in found:
                found[name] = by_batch(resolve(name, self.loaded), self.batches)
            return found[name]

        return route


def state_of(output: str) -> tuple[NativeFiles, NativeJob]:
    """The state of a job; raises UsageError where none was handed in for this output."""
    held = NativeFiles(place_of_output(output))
    job = held.read()
    if job is None:
        raise UsageError(
            _("no job was handed in for {path}", path=output),
            hint=_("what was: llmctl batch jobs"),
        )
    return held, job


def place_of(job: NativeJob, loaded: "Loaded") -> Place:
    """Where a job is; raises what keeps it from being asked, ConfigError where the settings lead
    elsewhere by now: neither the key nor the name of a set goes to another host."""
    first = resolve(job.model, loaded)
    batches = offered(first)
    loaded = settings_for(batches, first.provider, loaded)
    route = by_batch(resolve(job.model, loaded), batches)
    if route.host != job.host:
        raise ConfigError(
            _("the job was handed in at {host}, and {provider} is {other} now", host=job.host,
              provider=route.provider, other=route.host),
            hint=_("set the address it was handed in at: llmctl config set"
                   " providers.{provider}.base_url https://…", provider=route.provider),
        )  # fmt: skip
    return Place(route=route, batches=batches, loaded=loaded)


class Teller:
    """Says what the user should know, once."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._said: set[str] = set()

    def __call__(self, note: Notice) -> None:
        if note.text in self._said or (self._quiet and not note.insists):
            return
        self._said.add(note.text)
        self.say(note.text)

    def say(self, text: str) -> None:
        streams.err(f"llmctl: {safe_line(text)}\n")


# ---- the jobs of this machine


def known_outputs() -> list[Path]:
    """Those that were handed in from here, the oldest first."""
    try:
        found = json.loads((settings.paths().data / KNOWN).read_bytes())
    except (OSError, ValueError):
        return []
    return [Path(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []


def remember(output: Path, *, gone: bool = False) -> None:
    """Put an output on the list, or take it off."""
    path = settings.paths().data / KNOWN
    with files.lock(path.with_name(f"{KNOWN}.lock"), LOCK_S):
        rest = [one for one in known_outputs() if one != output]
        every = rest if gone else [*rest, output]
        files.write_private(path, json.dumps([str(one) for one in every]).encode())
