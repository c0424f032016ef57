"""Rows of a data set on the Hugging Face Hub, page by page through its viewer's API.

`hf://datasets/ORG/NAME[/CONFIG][/SPLIT]`. The viewer numbers its rows, so that a page that comes
twice is noticed; while one page is worked on, the next one is on its way.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmctl.dialects.look import at, int_at, text_at, texts_at
from llmctl.errors import LlmctlError, NotFound, ProviderFailed, UsageError
from llmctl.messages import _
from llmctl.rows import HUB, BadRow, Row
from llmctl.rows.lines import chosen
from llmctl.rows.local import refuse_missing
from llmctl.rows.viewer import Viewer, page_of, viewer_of
from llmctl.types import Json
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.settings import Loaded

Found = Row | BadRow
Note = Callable[[str], object]

PREFIX = f"{HUB}datasets/"
PAGE = 100  # the most that the viewer gives at a time
DEFAULT_CONFIG, DEFAULT_SPLIT = "default", "train"
NAMES = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A data set and, as far as they are named, its subset and its split."""

    dataset: str
    rest: tuple[str, ...] = ()


def place_of(source: str) -> Place:
    """Raises UsageError for what does not name a data set."""
    named = source.removeprefix(PREFIX) if source.startswith(PREFIX) else ""
    parts = named.rstrip("/").split("/")
    dataset = "/".join(parts[:2])
    if not 2 <= len(parts) <= 4 or not all(parts) or not NAMES.fullmatch(dataset):
        raise UsageError(
            _("{source} names no data set", source=source),
            hint=_("it has this form: {prefix}ORG/NAME/CONFIG/SPLIT, the last two where there are"
                   " several", prefix=PREFIX),
        )  # fmt: skip
    return Place(dataset, tuple(parts[2:]))


async def hub_rows(
    source: str,
    *,
    columns: Sequence[str],
    limit: int | None,
    loaded: "Loaded | None",
    note: Note | None = None,
) -> AsyncGenerator[Found, None]:
    """See `llmctl.rows.open_rows`. Raises PrivacyRefused where policy lets nothing leave this
    machine, before anything is asked."""
    place = place_of(source)
    async with viewer_of(place.dataset, loaded) as viewer:
        if limit == 0:
            return
        config, split = split_of(await viewer.asked("splits", {}), place)
        checked = False
        async with aclosing(_pages(viewer, config, split, limit, note)) as found:
            async for page, rows in found:
                if not checked:
                    refuse_missing(columns, texts_at(page, "features", "name"))
                    checked = True
                for item in rows:
                    yield row_of(item, columns)


def row_of(item: Json, columns: Sequence[str]) -> Found:
    """A row as it counts from 1, or that the viewer has cut what is wanted of it."""
    line = (int_at(item, "row_idx") or 0) + 1
    values = at(item, "row")
    values = values if isinstance(values, dict) else {}
    id = chosen(line, values, ()).id
    cells = at(item, "truncated_cells")
    cut = [one for one in cells if isinstance(one, str)] if isinstance(cells, list) else []
    if shortened := [name for name in cut if not columns or name in columns]:
        return BadRow(line, _("the viewer has cut {names}", names=", ".join(shortened)), id)
    return chosen(line, values, columns)._replace(id=id)


async def _pages(
    viewer: Viewer, config: str, split: str, limit: int | None, note: Note | None
) -> AsyncGenerator[tuple[Json, list[Json]], None]:
    """The pages in order with their rows, one asked for ahead."""
    offset, left, total = 0, limit, None

    def ask() -> asyncio.Task[Json]:
        length = PAGE if left is None else min(PAGE, left)
        query = {"config": config, "split": split, "offset": offset, "length": length}
        return asyncio.create_task(viewer.asked("rows", query))

    coming: asyncio.Task[Json] | None = ask()
    try:
        while coming is not None:
            page = await coming
            before, total = total, int_at(page, "num_rows_total")
            rows = _rows(page, offset, total, viewer)
            if note is not None:
                _tell(note, viewer.dataset, page, before, total)
            offset += len(rows)
            left = None if left is None else left - len(rows)
            over = not rows or left == 0 or (total is not None and offset >= total)
            coming = None if over else ask()
            yield page, rows
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


def _rows(page: Json, offset: int, total: int | None, viewer: Viewer) -> list[Json]:
    """The rows of a page. Raises ProviderFailed for a page that is not the one that was asked
    for, and for none where there should be one."""
    rows = at(page, "rows")
    if not isinstance(rows, list):
        said = _("the answer has no rows in it")
        raise viewer.placed(ProviderFailed(said, reason="no-answer", retryable=False))
    numbers = [int_at(row, "row_idx") for row in rows]
    if not rows and total is not None and offset < total:
        numbers = [None]
    for wanted, found in enumerate(numbers, offset):
        if found != wanted:
            said = _("the viewer sends row {found} where row {wanted} should be",
                     found="-" if found is None else found, wanted=wanted)  # fmt: skip
            raise viewer.placed(ProviderFailed(said, reason="wrong-page", retryable=False))
    return rows


def _tell(note: Note, dataset: str, page: Json, before: int | None, total: int | None) -> None:
    if before is None and at(page, "partial") is True:
        count = "?" if total is None else total
        note(_("the viewer has only the beginning of {dataset}, {count} rows: the whole is too"
               " large for it", dataset=dataset, count=count))  # fmt: skip
    if before is not None and total is not None and before != total:
        note(_("{dataset} has changed while it was read: it had {before} rows, and has {now}",
               dataset=dataset, before=before, now=total))  # fmt: skip


def split_of(answer: Json, place: Place) -> tuple[str, str]:
    """The subset and the split that are meant. Raises UsageError where several could be, NotFound
    for one that there is not, ProviderFailed for one that is not ready."""
    splits: dict[str, list[str]] = {}
    listed = at(answer, "splits")
    for one in listed if isinstance(listed, list) else ():
        config, split = text_at(one, "config"), text_at(one, "split")
        if config and split:
            splits.setdefault(config, []).append(split)
    rest = list(place.rest)
    if not rest or rest[0] not in splits:
        _refuse_unready(answer, place, named=bool(splits))
    config = _usual(splits, DEFAULT_CONFIG)
    if rest and (len(rest) == 2 or rest[0] in splits):
        config = rest.pop(0)
    if config is None or config not in splits:
        raise _choose(place, "CONFIG", config, list(splits))
    split = rest[0] if rest else _usual(splits[config], DEFAULT_SPLIT)
    if split is None or split not in splits[config]:
        raise _choose(place, "SPLIT", split, splits[config])
    return config, split


def _refuse_unready(answer: Json, place: Place, *, named: bool) -> None:
    """Raises for what the viewer is still making, and for what it could not make: where it is
    asked for by name (`named`: there is something else), or there is nothing else."""
    wanted = place.rest[0] if place.rest else None
    for kind in ("failed", "pending"):
        listed = at(answer, kind)
        for one in listed if isinstance(listed, list) else ():
            if named and text_at(one, "config") != wanted:
                continue
            if kind == "pending":
                raise ProviderFailed(
                    _("the rows of {dataset} are not ready", dataset=place.dataset),
                    hint=_("its viewer is still being made; try it again in a few minutes"),
                    reason="not-ready",
                )
            raise NotFound(
                _("the viewer could not read {dataset}: {why}", dataset=place.dataset,
                  why=(text_at(one, "error", "error") or "-")[:200]),
                hint=_("see what it has: {page}", page=page_of(place.dataset)),
                reason="dataset",
            )  # fmt: skip
    if not named:
        raise NotFound(_("{dataset} has no rows to be read", dataset=place.dataset),
                       reason="dataset")  # fmt: skip


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
        reason="split",
    )
