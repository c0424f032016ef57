"""Files that go to a provider before a call, and are deleted from it after the call.

They are deleted however the call ends: by its answer, an error, Ctrl-C, or because one of them was
refused. What could not be deleted is said, and how to do it; it never hides the answer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Self

from llmctl.dialects import Framing, Upload
from llmctl.engine.failed import advised, placed, refused, waiting
from llmctl.engine.retry import Retries
from llmctl.engine.route import Route
from llmctl.errors import LlmctlError, NetworkFailed
from llmctl.messages import _
from llmctl.types import Call, Chat, Event, Media, Notice, Progress
from llmctl.values import replace

if TYPE_CHECKING:
    from types import TracebackType

    from llmctl.transport.exchange import Lane

# What all deletions of a call may take together, in seconds: somebody waits for the prompt.
DELETE_SECONDS = 5.0
# Seconds before a deletion that failed is tried a second time, the last one.
AGAIN_SECONDS = 0.3
# Between two looks at how much has gone out.
SHOW_SECONDS = 0.1

Sleep = Callable[[float], Awaitable[None]]


class Uploads:
    """The files of one call that may be sent. `send` uploads them, the end of the context deletes
    them; `tell` gets progress and notes. With `keep` they stay, and their names are said. `begun`
    is when, by the `clock`, the time began that `timeout` bounds. Where a provider takes one
    request at a time, the turn is to be held around all of it (`Run.my_turn`)."""

    def __init__(
        self,
        call: Call,
        route: Route,
        lane: "Lane",
        tell: Callable[[Event], object],
        *,
        retries: Retries | None = None,
        timeout: float | None = None,
        keep: bool = False,
        begun: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._call = call
        self._route = route
        self._lane = lane
        self._tell = tell
        self._retries = retries or Retries()
        self._timeout = timeout
        self._keep = keep
        self._clock = clock
        self._sleep = sleep
        self._begun = clock() if begun is None else begun
        self._waited = 0.0
        self._shown_at = -SHOW_SECONDS
        self._begun_uploads: list[tuple[Upload, Media]] = []
        self._made: list[tuple[str, Media]] = []
        self._stopped = False  # while files were being deleted
        self._doubtful: Media | None = None  # gone out whole, and nobody has said what became of it

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: "TracebackType | None",
    ) -> None:
        there = [(one.name, file) for one, file in self._begun_uploads if one.name is not None]
        there += self._made
        notes = self._kept(there) if self._keep else await self._deleted(there)
        if self._doubtful is not None:
            notes.append(self._in_doubt(self._doubtful))
        for note in notes:
            self._tell(note)
        if self._stopped:
            raise asyncio.CancelledError

    async def send(self) -> Call:
        """The call with its files uploaded, one after the other in their order. Raises LlmctlError
        for what cannot be sent, which is found before the first file goes, and for a file that the
        provider does not take; NetworkFailed when the time for all of it is over."""
        route = self._route
        route.dialect.encode(self._call, route.quirks)
        made = {}
        for file in route.dialect.to_upload(self._call, route.quirks):
            made[id(file)] = await self._uploaded(file)
        return _with(self._call, made)

    def made(self, file: Media) -> None:
        """What the provider itself has put among the user's files goes the same way: `file` is here
        whole, `file.ref` is its name there."""
        if file.ref is not None:
            self._made.append((file.ref, file))

    # ---- uploading

    async def _uploaded(self, file: Media) -> Media:
        tried = 0
        upload = self._begin(file)
        while True:
            try:
                while upload.then is not None:
                    await self._step(upload, file)
                assert upload.file is not None  # noqa: S101  as the protocol has it
                return upload.file
            except LlmctlError as error:
                failed = placed(error, self._route, self._lane.tokens)
            tried += 1
            wait = self._wait(failed, tried)
            if wait is None:
                raise advised(failed, self._route)
            self._tell(waiting(failed, wait, tried, self._retries.attempts + 1))
            await self._sleep(wait)
            self._waited += wait
            if upload.name is None:  # what is there already is only asked after again
                upload = self._begin(file)

    def _begin(self, file: Media) -> Upload:
        upload = self._route.dialect.upload(file, self._route.quirks)
        assert upload is not None  # noqa: S101  a dialect that names files can upload them
        self._begun_uploads.append((upload, file))
        return upload

    async def _step(self, upload: Upload, file: Media) -> None:
        """One request of an upload, and what came back to it."""
        step = upload.then
        assert step is not None  # noqa: S101  else there is nothing to do
        await self._rest(step.after_s)
        gone, refusal = 0, False
        self._shown_at = self._clock() - SHOW_SECONDS

        def report(sent: int) -> None:
            nonlocal gone
            gone = sent
            self._progress(file, sent)

        try:
            async with (
                asyncio.timeout(self._left()),
                self._lane.exchange(step.http, report) as reply,
            ):
                if not 200 <= reply.status < 300:
                    refusal = True
                    raise await refused(reply, self._route)
                async for frame in reply.frames(Framing.WHOLE):
                    upload.read(reply.headers, frame)
        except TimeoutError:
            raise self._too_late() from None
        finally:
            whole = step.http.file is not None and gone >= (file.length or 0)
            if whole and not refusal and upload.name is None and upload.then is step:
                self._doubtful = file
        if upload.then is not None and upload.name is not None:
            self._tell(Progress(_("the provider reads {name}", name=_called(file)), 0))

    def _progress(self, file: Media, sent: int) -> None:
        now, length = self._clock(), file.length or 0
        if now - self._shown_at < SHOW_SECONDS and sent < length:
            return
        self._shown_at = now
        told = _("uploading {name}", name=_called(file))
        self._tell(Progress(told, min(sent, length), length))

    def _wait(self, error: LlmctlError, tried: int) -> float | None:
        if self._doubtful is not None:  # a second one might be one too many
            return None
        wait = self._retries.wait(error, tried, self._waited)
        left = self._left()
        return None if wait is None or (left is not None and wait >= left) else wait

    async def _rest(self, seconds: float) -> None:
        left = self._left()
        if left is not None and seconds >= left:
            raise self._too_late()
        if seconds:
            await self._sleep(seconds)

    def _left(self) -> float | None:
        if self._timeout is None:
            return None
        return max(0.0, self._timeout - (self._clock() - self._begun))

    def _too_late(self) -> NetworkFailed:
        return NetworkFailed(
            _("no whole answer within {seconds:g} s", seconds=self._timeout),
            reason="timeout",
            hint=_("allow more with --timeout SECONDS"),
            retryable=False,
        )

    # ---- afterwards

    async def _deleted(self, there: list[tuple[str, Media]]) -> list[Notice]:
        """Notes on those that could not be deleted. In a task of its own, so that what ends the
        call (a signal, the time) does not end this, too, before or while it runs."""
        if not there:
            return []
        left = dict(there)
        why: dict[str, str] = {}
        task = asyncio.create_task(self._delete(left, why))
        until = self._clock() + DELETE_SECONDS
        while not task.done() and (rest := until - self._clock()) > 0:
            try:
                await asyncio.wait([task], timeout=rest)
            except asyncio.CancelledError:
                self._stopped = True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return [
            self._left_over(name, file, why.get(name) or _("there was no answer in time"))
            for name, file in left.items()
        ]

    async def _delete(self, left: dict[str, Media], why: dict[str, str]) -> None:
        for name in list(left):
            error = await self._delete_one(name)
            if error is not None and error.retryable:
                await self._sleep(AGAIN_SECONDS)
                error = await self._delete_one(name)
            if error is None:
                del left[name]
            else:
                why[name] = placed(error, self._route, self._lane.tokens).message

    async def _delete_one(self, name: str) -> LlmctlError | None:
        http = self._route.dialect.deletion(name)
        assert http is not None  # noqa: S101  what can upload can delete
        try:
            async with self._lane.exchange(http) as reply:
                if 200 <= reply.status < 300 or reply.status == 404:  # it has gone by itself
                    await reply.text()  # so that the connection can be kept
                    return None
                return await refused(reply, self._route)
        except LlmctlError as error:
            return error

    def _left_over(self, name: str, file: Media, why: str) -> Notice:
        http = self._route.dialect.deletion(name)
        assert http is not None  # noqa: S101  what can upload can delete
        return Notice(
            "not-deleted",
            _("{file} is still at {provider}, where it could not be deleted: {why} Delete it there,"
              " or by {method} {url}", file=_called(file), provider=self._route.card.name,
              why=why.rstrip(".") + ".", method=http.method,
              url=self._route.target.url(http.path, http.base)),
            insists=True,
        )  # fmt: skip

    def _in_doubt(self, file: Media) -> Notice:
        return Notice(
            "not-deleted",
            _("whether {file} has arrived at {provider} is not known, since no answer to it came:"
              " look among your files there", file=_called(file), provider=self._route.card.name),
            insists=True,
        )  # fmt: skip

    def _kept(self, there: list[tuple[str, Media]]) -> list[Notice]:
        return [
            Notice(
                "kept",
                _("{file} stays at {provider} as {name}", file=_called(file),
                  provider=self._route.card.name, name=name),
                insists=True,
            )
            for name, file in there
        ]  # fmt: skip


def _called(file: Media) -> str:
    return file.name or file.media_type


def _with(call: Call, made: Mapping[int, Media]) -> Call:
    """The call with what was uploaded in the place of the files."""
    if not isinstance(call, Chat) or not made:
        return call
    messages = tuple(
        replace(one, parts=tuple(made.get(id(part), part) for part in one.parts))
        for one in call.messages
    )
    return replace(call, messages=messages)
