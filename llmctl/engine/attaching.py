"""Whether a model takes the files of a call: their kinds, how large and how many they are, and
addresses instead of files. What it does not take is refused before anything is sent, with a model
that does."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmctl import catalogue
from llmctl.dialects import DIALECTS
from llmctl.dialects.media import files_of
from llmctl.engine.kinds import TEXT, kind_of, shown_address
from llmctl.engine.whereabouts import can_tell
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.settings import ProviderSettings
from llmctl.types import Chat, Count, Media, Message, Notice, Role
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.engine.route import Route
    from llmctl.settings import Loaded
    from llmctl.types import Call

MOST = 3


def fitting_files(route: "Route", call: "Call", loaded: "Loaded") -> tuple[Notice, ...]:
    """What is to be said of files that may or may not be taken; raises UsageError for one that is
    not taken. Nothing is sent."""
    if not isinstance(call, Chat | Count):
        return ()
    files = files_of(call)
    if not files:
        return ()
    _refuse_kinds(route, call, files, loaded)
    _refuse_addresses(route.card, files)
    _refuse_size(route, files)
    _refuse_number(route.card, call.messages, files)
    _refuse_request(route, call, files, loaded)
    return tuple(_unknown(route, files))


def taken_by(card: "Card", model: "Model | None") -> tuple[str, ...] | None:
    """The kinds that a model takes, None where that is not known. What runs inside this process
    reads text alone, whatever its makers have trained it for."""
    if card.kind == "embedded":
        return (TEXT,)
    return (model.inputs or None) if model is not None else None


def able(files: Sequence[Media], route: "Route", call: "Chat | Count", loaded: "Loaded") -> str:
    """A hint with models that take such files and that policy allows: of the same provider, then
    those that run here, then those whose key is there."""
    from llmctl.engine.nearest import allowed_models
    from llmctl.engine.vetting import really_sent
    from llmctl.privacy.levels import HERE
    from llmctl.privacy.screening import Screened

    kinds = _kinds(files)

    def fits(card: "Card", model: "Model") -> bool:
        taken = taken_by(card, model)
        if model.status == "retired" or taken is None or not kinds <= set(taken):
            return False
        return _has_words(card, model, files, loaded)

    try:
        sent = really_sent(route, Screened(call=call), loaded)
        found = allowed_models(loaded, sent, without="", fits=fits)
    except LlmctlError:  # advice is no reason to say less than what is wrong
        found = []
    found.sort(
        key=lambda one: (one.provider != route.provider, one.level not in HERE, not one.is_there)
    )
    names = ", ".join(f"-m {one.provider}/{one.model}" for one in found[:MOST])
    if names:
        return _("what takes {kinds}: {models}", kinds=", ".join(sorted(kinds)), models=names)
    return _("no model of any card is known to take {kinds}", kinds=", ".join(sorted(kinds)))


def _has_words(card: "Card", model: "Model", files: Sequence[Media], loaded: "Loaded") -> bool:
    """Whether the format of a model has a place for such files."""
    from llmctl.engine.reach import merged, stated

    own = loaded.settings.providers.get(card.id, ProviderSettings())
    dialect = DIALECTS[catalogue.dialect_of(card, model, own)]()
    small = tuple(replace(one, data=b"", path=None, url=None, ref=None) for one in files)
    quirks = replace(merged(card.quirks, model.quirks), settings=stated(card, own))
    try:
        dialect.encode(Chat(model.id, (Message(Role.USER, small),)), quirks)
    except LlmctlError:
        return False
    return True


def _kinds(files: Collection[Media]) -> set[str]:
    return {kind for one in files if (kind := kind_of(one.media_type))}


def _named(files: Sequence[Media]) -> str:
    names = [one.name or one.url or one.media_type for one in files[:MOST]]
    more = len(files) - len(names)
    text = ", ".join(names)
    return _("{text} and {more} more", text=text, more=more) if more else text


def _refuse_kinds(
    route: "Route", call: "Chat | Count", files: Sequence[Media], loaded: "Loaded"
) -> None:
    taken = taken_by(route.card, route.model_card)
    if taken is None:
        return
    wrong = [one for one in files if kind_of(one.media_type) not in (*taken, None)]
    if wrong:
        raise UsageError(
            _("{model} takes no {kinds}: {names}", model=route.requested,
              kinds=", ".join(sorted(_kinds(wrong))), names=_named(wrong)),
            hint=able(files, route, call, loaded),
        )  # fmt: skip


def _refuse_addresses(card: "Card", files: Sequence[Media]) -> None:
    for one in files:
        if one.url is None or one.url.startswith("data:"):
            continue
        from llmctl.transport.egress import is_private

        host = urlsplit(one.url).hostname or ""
        if is_private(host):
            raise UsageError(
                _("{provider} cannot reach {host}, which is in a private network",
                  provider=card.name, host=host),
                hint=_("add --fetch, and llmctl gets it from there and sends it"),
            )  # fmt: skip
        if kind_of(one.media_type) not in card.url_inputs:
            raise UsageError(
                _("{provider} is not known to fetch {kind} from an address: {url}",
                  provider=card.name, kind=kind_of(one.media_type) or one.media_type,
                  url=shown_address(one.url)),
                hint=_("add --fetch, and llmctl gets it from there and sends it"),
            )  # fmt: skip


def _refuse_size(route: "Route", files: Sequence[Media]) -> None:
    limits = route.card.limits
    for one in files:
        if one.length is None:
            continue
        most = limits.media_bytes.get(kind_of(one.media_type) or "", limits.attachment_bytes)
        if most is not None and one.length > most:
            raise UsageError(
                _("{name} is too large: {size} MB, and {provider} takes {most} MB at most",
                  name=one.name or one.media_type, size=_mb(one.length, up=True),
                  provider=route.card.name, most=_mb(most)),
                hint=_("attach a smaller one, or the part of it that matters"),
            )  # fmt: skip


def _refuse_number(card: "Card", messages: Sequence[Message], files: Sequence[Media]) -> None:
    most = card.limits.attachments
    if most is not None and len(files) > most:
        raise UsageError(
            _("{count} files are too many: {provider} takes {most} in a request",
              count=len(files), provider=card.name, most=most),
            hint=_("attach fewer; those of earlier turns count, too"),
        )  # fmt: skip
    for one in messages:
        count = Counter(
            kind_of(part.media_type) for part in one.parts if isinstance(part, Media)
        )  # fmt: skip
        for kind, limit in card.limits.media_count.items():
            if count[kind] > limit:
                raise UsageError(
                    _("{provider} takes {limit} {kind} in a message, not {count}",
                      provider=card.name, limit=limit, kind=kind, count=count[kind]),
                    hint=_("ask about one after the other: attach the next with -c"),
                )  # fmt: skip


def _refuse_request(
    route: "Route", call: "Chat | Count", files: Sequence[Media], loaded: "Loaded"
) -> None:
    """The request as a whole: whether its format has words for the files, and room for them."""
    try:
        apart = {id(one) for one in route.dialect.to_upload(call, route.quirks)}
        route.dialect.encode(call, route.quirks)
    except UsageError as error:
        hints = (error.hint, *_other_interface(route, call), able(files, route, call, loaded))
        error.hint = "; ".join(filter(None, hints))
        raise
    most = route.card.limits.body_bytes
    inside = [one for one in files if one.length is not None and id(one) not in apart]
    size = sum(((one.length or 0) + 2) // 3 * 4 for one in inside)
    if most is not None and size > most:
        raise UsageError(
            _("{names}: {size} MB as base64, and a request to {provider} has {most} MB at most",
              names=_named(inside), size=_mb(size, up=True), provider=route.card.name,
              most=_mb(most)),
            hint=_("attach a smaller one, or the part of it that matters"),
        )  # fmt: skip


def _other_interface(route: "Route", call: "Chat | Count") -> Iterator[str]:
    """The setting by which the same provider is asked in a format that has words for the files."""
    for setting, formats in route.card.dialect_by.items():
        for value, name in formats.items():
            with suppress(LlmctlError):
                DIALECTS[name]().encode(call, route.quirks)
                key = f"providers.{route.card.id}.{setting}"
                yield _("{key} = {value} takes it", key=key, value=value)


def _mb(size: int, *, up: bool = False) -> str:
    """Megabytes with a digit where they are few; what is too much is never rounded to what is
    allowed."""
    tenths = -(-size // 100_000) if up else size // 100_000
    return f"{tenths / 10:g}"


def _unknown(route: "Route", files: Sequence[Media]) -> Iterator[Notice]:
    if taken_by(route.card, route.model_card) is None and not can_tell(route):
        kinds = sorted(_kinds(files)) or [one.media_type for one in files]
        text = _("Whether {model} takes {kinds} is not known here; its server will say.",
                 model=route.requested, kinds=", ".join(kinds))  # fmt: skip
        yield Notice("inputs-unknown", text)
