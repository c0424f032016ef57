"""Why a job is not gone on with: it is another one, its input is, or a provider is still at it."""

from typing import TYPE_CHECKING

from llmctl.errors import UsageError
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.batch.native import NativeJob
    from llmctl.batch.registering import Looked
    from llmctl.cli.batch_files import Paths


def changed_input(looked: "Looked", gone: int, *, only_new: bool) -> UsageError | None:
    """What is odd about the rows as they came now; `gone` is how many did not come any more. None
    where nothing is, or where there are but new rows and `only_new` says that they are wanted."""
    said: list[str] = []
    if looked.changes:
        said.append(_("changed rows: {count} (lines {lines})", count=looked.changes,
                      lines=_listed(looked.changed, looked.changes)))  # fmt: skip
    if looked.added:
        said.append(_("new rows: {count} (lines {lines})", count=looked.added,
                      lines=_listed(looked.new, looked.added)))  # fmt: skip
    if gone > 0:
        said.append(_("rows that are not there any more: {count}", count=gone))
    only_added = looked.added and not looked.changes and gone <= 0
    if not said or (only_added and only_new):
        return None
    hint = _("to do the whole job again: --restart")
    if only_added:
        hint = _("to add the new rows: --only-new; to do the whole job again: --restart")
    return UsageError(
        _("the input is not what it was when this job began: {what}", what="; ".join(said)),
        hint=hint,
        reason="changed",
    )


def another(found: list[str], paths: "Paths") -> UsageError:
    return UsageError(
        _("{path} belongs to a job that asks something else: {differences}", path=paths.output,
          differences="; ".join(found)),
        hint=_("name another file after --output, or do the job anew with --restart"),
        reason="changed",
    )  # fmt: skip


def other_way(paths: "Paths", *, handed_in: bool) -> UsageError:
    """Rows that wait at a provider are not sent one by one, and the other way round: somebody would
    pay for them twice."""
    if handed_in:
        said = _("the rows of {path} were handed in by `llmctl batch submit`", path=paths.output)
        hint = _("the answers: llmctl batch fetch {path} --wait", path=paths.output)
    else:
        said = _("the rows of {path} are sent one by one, by `llmctl batch run`", path=paths.output)
        hint = _("name another file after --output, or do the job anew with --restart")
    return UsageError(said, hint=hint, reason="changed")


def at_the_provider(job: "NativeJob", paths: "Paths") -> UsageError:
    return UsageError(
        _("batches of {path} are still at {host}", path=paths.output, host=job.host),
        hint=_("cancel and fetch them first: llmctl batch cancel {path}", path=paths.output),
    )


def _listed(lines: list[int], count: int) -> str:
    text = ", ".join(map(str, lines[:5]))
    return text if count <= 5 else f"{text}, …"
