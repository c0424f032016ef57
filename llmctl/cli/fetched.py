"""The files of a call before it is sent: what is behind attached addresses in their place
(`--fetch`), and whether the model takes them."""

from typing import TYPE_CHECKING

from llmctl.cli.attached import Reading, part_of_bytes
from llmctl.cli.attached_type import forced_type
from llmctl.cli.loop import run_async
from llmctl.engine.kinds import shown_address
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.waiting import told_if_long
from llmctl.types import Chat, Media, Message, Part
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cli.asked import Asked
    from llmctl.engine.route import Route
    from llmctl.settings import Loaded


def settled(route: "Route", call: Chat, asked: "Asked", loaded: "Loaded") -> Chat:
    """The call with what is behind addresses where that is wanted. Raises UsageError for files that
    the model does not take, before its weights are pulled or anything is searched."""
    from llmctl.engine.attaching import fitting_files

    if asked.fetch:
        call = with_fetched(call, asked, loaded)
    fitting_files(route, call, loaded)
    return call


def with_fetched(call: Chat, asked: "Asked", loaded: "Loaded") -> Chat:
    """The call with files and texts in the place of addresses. Raises UsageError for what cannot
    be attached, and what fetching raises."""
    if not any(_is_address(part) for one in call.messages for part in one.parts):
        return call
    if asked.dry_run:
        raise UsageError(
            _("--dry-run sends nothing, so it cannot show what --fetch would bring"),
            hint=_("leave one of the two out, or download it and attach the file"),
        )
    how = Reading(
        encoding=loaded.settings.output.encoding,
        forced=forced_type(asked.attachment_type),
        quiet=asked.quiet,
    )
    messages = tuple(_message(one, how, loaded) for one in call.messages)
    return replace(call, messages=messages)


def _is_address(part: Part) -> bool:
    return isinstance(part, Media) and part.url is not None and not part.url.startswith("data:")


def _message(one: Message, how: Reading, loaded: "Loaded") -> Message:
    return replace(one, parts=tuple(_part(part, how, loaded) for part in one.parts))


def _part(part: Part, how: Reading, loaded: "Loaded") -> Part:
    from llmctl.engine.fetching import fetch

    if not isinstance(part, Media) or part.url is None or not _is_address(part):
        return part
    url = part.url
    with told_if_long(_("Fetching {url} ...", url=shown_address(url)), quiet=how.quiet):
        data = run_async(fetch(url, loaded))
    return part_of_bytes(url, part.name or "page", data, how)
