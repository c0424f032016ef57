"""Where the rows of a run go: to the output and the journal, to standard output, to the cache; and
what is known of a row before it is asked."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from llmctl.batch.content import content_key
from llmctl.batch.results import Results, Written
from llmctl.batch.shape import Ended
from llmctl.batch.work import Work, free, same
from llmctl.output.batch_receipt import receipt_from
from llmctl.output.batch_rows import row_line
from llmctl.store.journal import Journal
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.store.answers import Answers


class Kept:
    """`dedupes` says to look for identical rows that are done. `tee` gets the lines of rows that
    succeeded, where they go to standard output, too."""

    def __init__(
        self,
        results: Results,
        journal: Journal,
        *,
        dedupes: bool,
        answers: "Answers | None" = None,
        tee: Callable[[bytes], None] | None = None,
    ) -> None:
        self._results = results
        self._journal = journal
        self.dedupes = dedupes
        self._answers = answers
        self._tee = tee
        self._keys: dict[int, bytes] = {}

    def keep(self, ended: Sequence[Ended]) -> None:
        """Write them; they are safe when this is over. Raises IoFailed, PipeClosed."""
        lines = [(one, row_line(one)) for one in ended]
        self._results.append([_written(one, line) for one, line in lines])
        if self._answers is not None:
            self._remember(lines)
        if self._tee is not None:
            self._tee(b"".join(line for one, line in lines if one.receipt.error is None))

    def known(self, work: Work) -> Ended | None:
        """The row as it is known already: from an identical row that is done, or from an earlier
        job."""
        if self.dedupes and (line := self._journal.twin(work.digest, work.line)) is not None:
            data = self._results.read(line)
            receipt = None if data is None else receipt_from(data)
            if receipt is not None:
                return same(Ended(line=line, id=_id_of(data) or str(line), receipt=receipt), work)
        if self._answers is None or work.made is None:
            return None
        key = content_key(work.made.route, work.made.call)
        found = self._answers.get(key)
        receipt = None if found is None else receipt_from(found[0])
        if receipt is None:
            self._keys[work.line] = key
            return None
        receipt = replace(receipt, attempts=0, cost=free(receipt.cost))
        return Ended(line=work.line, id=work.id, receipt=receipt, cached=True, columns=work.columns)

    def _remember(self, lines: Sequence[tuple[Ended, bytes]]) -> None:
        assert self._answers is not None  # noqa: S101  it is asked before
        found = [
            (key, line)
            for one, line in lines
            if (key := self._keys.pop(one.line, None)) is not None
            and one.receipt.error is None
            and not one.hops
        ]
        if found:
            self._answers.put(found)


def _written(ended: Ended, line: bytes) -> Written:
    error = ended.receipt.error
    if error is None:
        return Written(ended.line, line)
    return Written(ended.line, error=line, code=error.code)


def _id_of(data: bytes | None) -> str | None:
    from llmctl.output.batch_rows import line_json

    value = line_json(data) if data else None
    return value["row"].get("id") if value else None
