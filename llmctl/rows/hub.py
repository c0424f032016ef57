"""Rows of a data set on the Hugging Face Hub, page by page through its viewer's API.

`hf://datasets/ORG/NAME[/CONFIG][/SPLIT]`. The viewer numbers its rows, so that a page that comes
twice is noticed; while one page is worked on, the next one is on its way.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from llmctl.dialects import HttpCall, failures
from llmctl.dialects.look import at, int_at, parse, text_at, texts_at
from llmctl.engine.hub import PROVIDER, token
from llmctl.engine.retry import Retries, asked_wait
from llmctl.errors import AuthFailed, LlmctlError, NotFound, ProviderFailed, Rejected, UsageError
from llmctl.keys.secret import masked
from llmctl.messages import _
from llmctl.rows import HUB, BadRow, Row
from llmctl.rows.lines import chosen
from llmctl.rows.local import refuse_missing
from llmctl.types import Json
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.keys import Secret
    from llmctl.settings import Loaded
    from llmctl.transport.exchange import Lane

Found = Row | BadRow

URL = "datasets_url"
PREFIX = f"{HUB}datasets/"
PAGE = 100  # the most that the viewer gives at a time
DEFAULT_CONFIG, DEFAULT_SPLIT = "default", "train"


@dataclass(frozen=True, slots=True)
class Place:
    """A data set and, as far as they are named, its subset and its split."""

    dataset: str
    rest: tuple[str, ...] = ()


def place_of(source: str) -> Place:
    """Raises UsageError for what does not name a data set."""
    named = source.removeprefix(PREFIX) if source.startswith(PREFIX) else ""
    parts = named.rstrip("/").split("/")
    if not 2 <= len(parts) <= 4 or not all(parts):
        raise UsageError(
            _("{source} names no data set", source=source),
            hint=_("it has this form: {prefix}ORG/NAME/CONFIG/SPLIT, the last two where there are"
                   " several", prefix=PREFIX),
        )  # fmt: skip
    return Place("/".join(parts[:2]), tuple(parts[2:]))


async def hub_rows(
    source: str, *, columns: Sequence[str], limit: int | None, loaded: "Loaded | None"
) -> AsyncGenerator[Found, None]:
    """See `llmctl.rows.open_rows`. Raises PrivacyRefused where policy lets nothing leave this
    machine, before anything is asked."""
    place = place_of(source)
    async with _viewer(loaded) as viewer:
        config, split = await viewer.split_of(place)
        pages = viewer.pages(place.dataset, config, split, limit)
        checked = False
        async with aclosing(pages) as found:
            async for page in found:
                if not checked:
                    refuse_missing(columns, texts_at(page, "features", "name"))
                    checked = True
                for item in at(page, "rows") or ():
                    yield row_of(item, columns)


def row_of(item: Json, columns: Sequence[str]) -> Found:
    """A row as it counts from 1, or that the viewer has cut what is wanted of it."""
    line = (int_at(item, "row_idx") or 0) + 1
    values = at(item, "row")
    values = values if isinstance(values, dict) else {}
    cut = _names(at(item, "truncated_cells"))
    if shortened := [name for name in cut if not columns or name in columns]:
        return BadRow(line, _("the viewer has cut {names}", names=", ".join(shortened)))
    id = chosen(line, values, ()).id
    found = chosen(line, values, columns)
    return found._replace(id=id)


def _names(cells: Json) -> list[str]:
    return [one for one in cells if isinstance(one, str)] if isinstance(cells, list) else []


class Viewer:
    """The data-set viewer behind one connection."""

    def __init__(
        self, lane: "Lane", retries: Retries, secret: "Secret | None", timeout: float | None
    ) -> None:
        self._lane = lane
        self._retries = retries
        self._secret = secret
        self._timeout = timeout

    async def __aenter__(self) -> "Viewer":
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self._lane.aclose()

    async def split_of(self, place: Place) -> tuple[str, str]:
        """The subset and the split that are meant. Raises UsageError where several could be, and
        NotFound for one that there is not."""
        answer = await self._asked("splits", {"dataset": place.dataset}, place.dataset)
        splits: dict[str, list[str]] = {}
        for one in at(answer, "splits") or ():
            config, split = text_at(one, "config"), text_at(one, "split")
            if config and split:
                splits.setdefault(config, []).append(split)
        if not splits:
            raise NotFound(_("{dataset} has no rows to be read", dataset=place.dataset),
                           reason="dataset")  # fmt: skip
        rest = list(place.rest)
        config = _usual(splits, DEFAULT_CONFIG)
        if rest and (len(rest) == 2 or rest[0] in splits):
            config = rest.pop(0)
        if config is None or config not in splits:
            raise _choose(place, "CONFIG", config, list(splits))
        split = rest[0] if rest else _usual(splits[config], DEFAULT_SPLIT)
        if split is None or split not in splits[config]:
            raise _choose(place, "SPLIT", split, splits[config])
        return config, split

    async def pages(
        self, dataset: str, config: str, split: str, limit: int | None
    ) -> AsyncGenerator[Json, None]:
        """The pages in order, one asked for ahead."""
        offset = 0
        left = limit
        coming: asyncio.Task[Json] | None = None

        def ask(offset: int, length: int) -> asyncio.Task[Json]:
            wanted = {"dataset": dataset, "config": config, "split": split,
                      "offset": offset, "length": length}  # fmt: skip
            return asyncio.create_task(self._asked("rows", wanted, dataset))

        try:
            coming = ask(0, PAGE if left is None else min(PAGE, left))
            while coming is not None:
                page = await coming
                rows = at(page, "rows")
                rows = rows if isinstance(rows, list) else []
                _check_numbers(rows, offset)
                offset += len(rows)
                total = int_at(page, "num_rows_total")
                left = None if left is None else left - len(rows)
                over = not rows or left == 0 or (total is not None and offset >= total)
                coming = None if over else ask(offset, PAGE if left is None else min(PAGE, left))
                yield page
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)

    async def _asked(self, path: str, query: Mapping[str, Json], dataset: str) -> Json:
        """One answer, asked for again as any request is."""
        http = HttpCall("GET", f"{path}?{urlencode(query)}", base=URL)
        waited, tried = 0.0, 0
        while True:
            tried += 1
            try:
                async with self._lane.exchange(http) as reply:
                    if 200 <= reply.status < 300:
                        frames = reply.frames(http.framing)
                        return parse("".join([frame.data async for frame in frames]))
                    error = refused(reply.status, reply.headers, await reply.text(), dataset)
                    error.retry_after_s = asked_wait(reply.headers, error.message, time.time)
            except LlmctlError as failed:
                error = failed
            wait = self._retries.wait(error, tried, waited)
            if wait is None:
                raise self._placed(error)
            await asyncio.sleep(wait)
            waited += wait

    def _placed(self, error: LlmctlError) -> LlmctlError:
        error.provider = error.provider or PROVIDER
        error.host = error.host or self._lane.target.host
        error.message = masked(error.message, self._secret, self._lane.tokens)
        error.args = (error.message,)
        return error


def _viewer(loaded: "Loaded | None") -> Viewer:
    """The viewer as the settings of `huggingface` have it reached."""
    from llmctl import catalogue, settings
    from llmctl.engine.listing import refuse_to_ask
    from llmctl.engine.reach import merged, stated, target_of
    from llmctl.keys import Secret, find
    from llmctl.settings import ProviderSettings
    from llmctl.transport.exchange import Lane

    loaded = loaded or settings.load()
    card = catalogue.card(PROVIDER, loaded.settings)
    own = loaded.settings.providers.get(PROVIDER, ProviderSettings())
    refuse_to_ask(card, loaded)
    secret = find(card, own)
    if secret is None and (there := token()) is not None:
        secret = Secret(there, "hf auth login")
    quirks = replace(merged(card.quirks), settings=stated(card, own))
    target = target_of(card, own, loaded.settings, secret, quirks)
    base = target.urls[URL]
    network = loaded.settings.network
    retries = Retries(network.retries, network.backoff, max_wait=network.max_wait)
    lane = Lane(replace(target, base_url=base, timeout=network.timeout))
    return Viewer(lane, retries, secret, network.timeout)


def refused(status: int, headers: Mapping[str, str], body: str, dataset: str) -> LlmctlError:
    """The error for an answer of the viewer, which has codes of its own in a header."""
    error = failures.failure(status, headers, body)
    code = headers.get("x-error-code", "")
    page = f"https://huggingface.co/datasets/{dataset}"
    if code == "ExternalUnauthenticatedError" or status == 401:
        return AuthFailed(
            _("there is no data set {dataset}, or it is not open to everybody", dataset=dataset),
            hint=_("see {page}; if it is gated, accept its terms there and set a key: llmctl keys"
                   " set huggingface", page=page),
            status=status,
            reason="gated",
        )  # fmt: skip
    if code == "ExternalAuthenticatedError":
        return NotFound(
            _("there is no data set {dataset} that this key may read", dataset=dataset),
            hint=_("see {page}; if it is gated, accept its terms there", page=page),
            status=status,
            reason="dataset",
        )
    if isinstance(error, NotFound):
        error.hint = _("see what it has: {page}", page=page)
        error.reason = "dataset"
    elif code.startswith("ResponseNotReady"):
        error.hint = _("its viewer is still being made; try it again in a few minutes")
    elif isinstance(error, Rejected):
        error.hint = _("the viewer does not show this data set: {page}", page=page)
    return error


def _usual(names: Mapping[str, object] | Sequence[str], usual: str) -> str | None:
    """The only one there is, else the one with the usual name."""
    return next(iter(names)) if len(names) == 1 else usual if usual in names else None


def _choose(place: Place, what: str, named: str | None, there: list[str]) -> LlmctlError:
    names = ", ".join(there[:20])
    if named is None:
        return UsageError(
            _("{dataset} has several: name one as {what}", dataset=place.dataset, what=what),
            hint=_("there are: {names}", names=names),
        )
    return NotFound(
        _("{dataset} has no {what} {name}", dataset=place.dataset, what=what, name=named),
        hint=_("there are: {names}", names=names),
        reason="dataset",
    )


def _check_numbers(rows: list[Json], offset: int) -> None:
    """Raises ProviderFailed for a page that is not the one that was asked for."""
    for position, row in enumerate(rows):
        if int_at(row, "row_idx") != offset + position:
            raise ProviderFailed(
                _("the viewer sends row {found} where row {wanted} should be",
                  found=int_at(row, "row_idx"), wanted=offset + position),
                reason="wrong-page",
                retryable=False,
            )  # fmt: skip
