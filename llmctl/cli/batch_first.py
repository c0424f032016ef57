"""The first rows of an input, by which a command that cannot work is refused before it leaves
anything behind: a column that is not there, no model, a variable that nobody gives, a text for all
rows that policy lets go nowhere."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl.batch.registering import length
from llmctl.batch.sharding import Shard
from llmctl.cli.batch_fields import list_of
from llmctl.cli.loop import run_async
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.rows import BadRow, Row, open_rows
from llmctl.types import Json

if TYPE_CHECKING:
    from llmctl.cli.batch_asked import BatchAsked
    from llmctl.cli.batch_calls import Maker
    from llmctl.settings import Loaded

FIRST = 100  # rows that make no call, after which none is expected to
MOST_BAD = 10_000  # rows that cannot be read, after which nothing is said of the others
LARGE = 8 << 20  # characters of rows, after which no more are read for their columns
# What a row says of how it is answered, and not of all rows.
OWN = frozenset({"id", "custom_id", "options", "schema", "attachments"})

Found = Row | BadRow


def check_first(
    asked: "BatchAsked", maker: "Maker", loaded: "Loaded", *, begun: bool = False
) -> None:
    """Read as many rows of a file as it takes, usually one. Raises UsageError where none of the
    first makes a call, or has what `--columns` names, unless the job has `begun`: then these were
    found out before. Raises PrivacyRefused, or what else they would all end with, where what they
    share may not be sent."""
    look = First(asked, maker, loaded)
    if asked.source is None or not Path(asked.source).is_file():
        if asked.model and maker.template is None:  # rows that nobody has seen yet may have others
            look.share(Row(1, {"prompt": "x"}))
    else:
        run_async(_look(look, asked, loaded))
        if not begun:
            look.refuse()
    look.refuse_shared()


def has_begun(asked: "BatchAsked") -> bool:
    """Whether an earlier run has taken the job down, which this one is to go on with."""
    if asked.output in (None, "-") or asked.restart:
        return False
    if asked.engine is not None:
        from llmctl.cli.batch_blocks import PLAN

        return (Path(asked.output) / PLAN).exists()
    from llmctl.cli.batch_files import paths_of

    return paths_of(asked, asked.output).journal.exists()


async def _look(look: "First", asked: "BatchAsked", loaded: "Loaded") -> None:
    shard = None if asked.shard is None else Shard.read(asked.shard)
    rows = open_rows(
        asked.source,
        format=asked.input_format,
        limit=asked.limit,
        encoding=loaded.settings.output.encoding,
        loaded=loaded,
    )
    async with aclosing(rows) as found:
        async for row in found:
            if (shard is None or shard.has(row.id or str(row.line))) and look.at(row):
                return


class First:
    """What the first rows say of all of them."""

    def __init__(self, asked: "BatchAsked", maker: "Maker", loaded: "Loaded") -> None:
        self._asked = asked
        self._maker = maker
        self._loaded = loaded
        self._lacking = list(asked.carried)
        self._names: tuple[str, ...] = ()  # of the columns of the first row
        self._rows = self._bad = self._size = 0
        self._unusable: tuple[int, LlmctlError] | None = None
        self._usable = False
        self._unshared: LlmctlError | None = None
        self._shared = asked.on_pii is not None  # then another model may be asked

    def at(self, row: Found) -> bool:
        """Look at a row; whether enough is known."""
        if isinstance(row, BadRow):
            self._bad += 1
            self._unusable = self._unusable or (row.line, UsageError(row.why))
            return self._bad >= MOST_BAD
        self._rows += 1
        self._size += length(row)
        self._names = self._names or tuple(row.values)
        self._lacking = [one for one in self._lacking if one not in row.values]
        if not (self._usable and self._shared):
            self._make(row)
        if self._rows >= FIRST:
            return True
        found = self._usable and self._shared
        return found and (not self._lacking or self._size > LARGE)

    def _make(self, row: Row) -> None:
        try:
            self._maker.make(row)
        except UsageError as error:
            self._unusable = self._unusable or (row.line, error)
        except LlmctlError:  # of a model of its own, which concerns no other row
            self._usable = self._shared = True
        else:
            self._usable = True
            self.share(row)

    def share(self, row: Row) -> None:
        """Whether what this row shares with others may be sent."""
        from llmctl.engine.clearance import checked

        if self._shared:
            return
        try:
            made = self._maker.make(Row(row.line, blanked(row.values, self._asked)))
        except LlmctlError:  # a template that makes something else of what it is given
            self._shared = True
            return
        try:
            checked(made.route, made.call, self._loaded)
        except LlmctlError as refused:
            self._unshared = self._unshared or refused
        else:
            self._shared = True

    def refuse(self) -> None:
        """Raises UsageError for what is wrong with the command as far as the rows tell."""
        if self._unusable is not None and not self._usable and self._bad < MOST_BAD:
            raise unusable(self._rows + self._bad, *self._unusable)
        if self._rows and self._lacking and self._size <= LARGE:
            raise UsageError(
                _("--columns: there is no column {name}; there are: {names}",
                  name=", ".join(self._lacking), names=", ".join(self._names)[:200] or "-"),
            )  # fmt: skip

    def refuse_shared(self) -> None:
        """Raises what all rows would end with."""
        if self._unshared is not None and not self._shared:
            raise self._unshared


async def held_back(
    rows: AsyncGenerator[Found, None], make: Callable[[Row], object]
) -> AsyncGenerator[Found, None]:
    """The rows of a stream, none before one of them makes a call; raises UsageError where none of
    the first does, or of all."""
    held: list[Found] = []
    first: tuple[int, LlmctlError] | None = None
    proven = False
    async with aclosing(rows) as found:
        async for row in found:
            if proven:
                yield row
                continue
            held.append(row)
            try:
                if isinstance(row, BadRow):
                    raise UsageError(row.why)
                make(row)
            except UsageError as error:
                first = first or (row.line, error)
                if len(held) < FIRST:
                    continue
                raise unusable(len(held), *first) from None
            except LlmctlError:
                pass  # of a model of its own
            proven = True
            for one in held:
                yield one
            held.clear()
    if held and first is not None:
        raise unusable(len(held), *first)


def unusable(rows: int, line: int, error: LlmctlError) -> UsageError:
    return UsageError(
        _("none of the first rows ({count}) can be asked; line {line}: {why}", count=rows,
          line=line, why=error.message),
        hint=error.hint,
    )  # fmt: skip


def blanked(values: Mapping[str, Json], asked: "BatchAsked") -> dict[str, Json]:
    """A row that has the same columns and nothing of its own in them."""
    left: dict[str, Json] = {}
    for name, value in values.items():
        if name in OWN or name == asked.attachments:
            continue
        left[name] = value if name == "model" else _blank(value)
    if asked.attachments is not None:
        left[asked.attachments] = None
    if isinstance(talk := list_of(values.get("messages")), list):
        left["messages"] = [
            {"role": one.get("role"), "content": "x"} for one in talk if isinstance(one, Mapping)
        ]
    return left


def _blank(value: Json) -> Json:
    match value:
        case str():
            return "x" if value.strip() else value
        case bool() | None:
            return value
        case int() | float():
            return 1
        case Mapping():
            return {name: _blank(one) for name, one in value.items()}
        case _:
            return [_blank(one) for one in value]
