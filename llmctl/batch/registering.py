"""The first look at a job's input: every row is taken down in the journal, and what cannot be sent
is known before anything is."""

import random
from collections.abc import AsyncIterator, Callable, Sequence

from llmctl.batch.identity import digest_of, name_of
from llmctl.batch.shape import Ended
from llmctl.batch.sharding import Shard
from llmctl.batch.work import length as length
from llmctl.batch.work import unsent
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.rows import BadRow, Row
from llmctl.store.journal import Clash, Entry, Journal, Kind
from llmctl.values import dataclass, field

Found = Row | BadRow

PIECE = 5_000  # rows taken down at once
PIECE_BYTES = 32 << 20  # about what a piece may hold, beside its last row
SAMPLE = 200  # rows by which a job is estimated
SAMPLE_SIZE = 32_000_000  # characters that these may have together
LISTED = 20  # lines that are kept of what is odd


@dataclass(slots=True)
class Looked:
    """What the input has: `rows` of this job, `bad` ones of them that cannot be sent. Against an
    earlier run: the lines that are `changed` and `new`, the first of each, and how many. `sample`
    are rows drawn at random, each as likely as any other."""

    rows: int = 0
    bad: int = 0
    changed: list[int] = field(default_factory=list)
    changes: int = 0
    new: list[int] = field(default_factory=list)
    added: int = 0
    sample: list[Row] = field(default_factory=list)
    _most: int = SAMPLE
    _held: int = 0  # characters
    _drawn: int = 0

    def draw(self, row: Row, chance: random.Random) -> None:
        """Each row so far is in it with the same probability; of large ones it has fewer."""
        self._drawn += 1
        if len(self.sample) < self._most:
            self.sample.append(row)
        elif (place := chance.randrange(self._drawn)) < self._most:
            self._held -= length(self.sample[place])
            self.sample[place] = row
        else:
            return
        self._held += length(row)
        while self._held > SAMPLE_SIZE and len(self.sample) > 1:
            gone = self.sample.pop(chance.randrange(len(self.sample)))
            self._held -= length(gone)
            self._most = len(self.sample)


class Registering:
    """Takes rows down; `end` writes those that are through with that. With `add` rows that an
    earlier run has not seen are taken for new ones of this job, else they are only told of."""

    def __init__(
        self,
        journal: Journal,
        end: Callable[[Sequence[Ended]], None],
        *,
        shard: Shard | None = None,
        add: bool = True,
    ) -> None:
        self.looked = Looked()
        self._journal = journal
        self._end = end
        self._shard = shard
        self._add = add
        self._draw = random.Random(0)

    async def all(
        self, rows: AsyncIterator[Found], tell: Callable[[int], None] = lambda _rows: None
    ) -> Looked:
        """To the end of the input; `tell` hears how many rows there are so far."""
        piece: list[Found] = []
        size = 0
        async for row in rows:
            if not self.is_ours(row):
                continue
            piece.append(row)
            size += 0 if isinstance(row, BadRow) else length(row)
            if len(piece) >= PIECE or size >= PIECE_BYTES:
                self._take(piece)
                tell(self.looked.rows)
                piece, size = [], 0
        self._take(piece)
        return self.looked

    def _take(self, piece: Sequence[Found]) -> None:
        for row in self.take(piece):
            self.looked.draw(row, self._draw)

    def is_ours(self, row: Found) -> bool:
        return self._shard is None or self._shard.has(row.id or str(row.line))

    def take(self, piece: Sequence[Found]) -> list[Row]:
        """Take rows down; those of them that can be sent."""
        clashes = self._journal.register([_entry(row) for row in piece], add=self._add)
        odd = {clash.line: clash for clash in clashes}
        good: list[Row] = []
        ended: list[Ended] = []
        for row in piece:
            self.looked.rows += 1
            clash = odd.get(row.line)
            if clash is not None and clash.kind is not Kind.DUPLICATE:
                self._note(clash)
                continue
            why = self._why(row, clash)
            if why is not None:
                self.looked.bad += 1
                ended.append(_unusable(row, why))
            elif isinstance(row, Row):
                good.append(row)
        if ended and self._add:
            self._end(ended)
        return good

    def _why(self, row: Found, clash: Clash | None) -> str | None:
        if isinstance(row, BadRow):
            return row.why
        if clash is None:
            return None
        return _("the row of line {line} has the id {id}, too", line=clash.first or "?",
                 id=row.name)  # fmt: skip

    def _note(self, clash: Clash) -> None:
        looked = self.looked
        if clash.kind is Kind.CHANGED:
            looked.changes += 1
            if len(looked.changed) < LISTED:
                looked.changed.append(clash.line)
        else:
            looked.added += 1
            if len(looked.new) < LISTED:
                looked.new.append(clash.line)


def _entry(row: Found) -> Entry:
    digest = 0 if isinstance(row, BadRow) else digest_of(row)
    return Entry(row.line, name_of(row.id or str(row.line)), digest)


def _unusable(row: Found, why: str) -> Ended:
    receipt = unsent(None, UsageError(why))
    return Ended(line=row.line, id=row.id or str(row.line), receipt=receipt)
