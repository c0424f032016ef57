"""Whether a model takes the files of a call: their kinds and formats, how large and how many they
are, and addresses instead of files. What it does not take is refused before anything is sent, with
a model that does."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llmctl.dialects import DIALECTS, Dialect
from llmctl.dialects.media import files_of
from llmctl.engine.kinds import TEXT, bare, kind_of, shown_address
from llmctl.engine.whereabouts import can_tell
from llmctl.errors import LlmctlError, UsageError
from llmctl.messages import _
from llmctl.types import Chat, Count, Media, Message, Notice, Quirks
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.cards import Card, Model
    from llmctl.engine.route import Route
    from llmctl.settings import Loaded
    from llmctl.types import Call

MOST = 3
# Completes an error about such files (kinds or types) with the models that take them.
Advising = Callable[[Collection[str]], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """A model that is to take files, and its format; `model` is its card's entry, None for one
    that the card does not list."""

    card: "Card"
    model: "Model | None"
    name: str
    dialect: Dialect
    quirks: Quirks

    @property
    def kinds(self) -> tuple[str, ...] | None:
        """The kinds that it takes, None where that is not known. What runs inside this process
        reads text alone, whatever its makers have trained it for."""
        if self.card.kind == "embedded":
            return (TEXT,)
        return (self.model.inputs or None) if self.model is not None else None


def fitting_files(route: "Route", call: "Call", loaded: "Loaded") -> tuple[Notice, ...]:
    """What is to be said of files that may or may not be taken; raises UsageError for one that is
    not taken. Nothing is sent."""
    if not isinstance(call, Chat | Count):
        return ()
    files = files_of(call)
    if not files:
        return ()

    @contextmanager
    def advising(what: Collection[str]) -> Iterator[None]:
        from llmctl.engine.takers import who_takes

        try:
            yield
        except UsageError as error:
            others = who_takes(route, call, loaded, what)
            error.hint = "; ".join(filter(None, (error.hint, others)))
            raise

    taker = Taker(card=route.card, model=route.model_card, name=route.requested,
                  dialect=route.dialect, quirks=route.quirks)  # fmt: skip
    refuse_untaken(taker, call, advising)
    return tuple(_unknown(route, taker, files))


def refuse_untaken(
    taker: Taker, call: "Chat | Count", advising: Advising = lambda _what: nullcontext()
) -> None:
    """Raises UsageError for files that a model does not take."""
    files = files_of(call)
    _refuse_kinds(taker, files, advising)
    _refuse_formats(taker, files, advising)
    _refuse_addresses(taker.card, files)
    _refuse_size(taker.card, files)
    _refuse_number(taker.card, call.messages, files)
    with advising(kinds_in(files)):
        _refuse_wordless(taker, call)
    _refuse_room(taker, call, files)


def kinds_in(files: Collection[Media]) -> set[str]:
    """The kinds of files; a type where that is of no kind."""
    return {kind_of(one.media_type) or one.media_type for one in files}


def _named(files: Sequence[Media]) -> str:
    names = [one.name or one.url or one.media_type for one in files[:MOST]]
    more = len(files) - len(names)
    text = ", ".join(names)
    return _("{text} and {more} more", text=text, more=more) if more else text


def _refuse_kinds(taker: Taker, files: Sequence[Media], advising: Advising) -> None:
    taken = taker.kinds
    if taken is None:
        return
    wrong = [one for one in files if kind_of(one.media_type) not in (*taken, None)]
    if wrong:
        with advising(kinds_in(files)):
            raise _untaken(taker, wrong, kinds_in(wrong))


def _refuse_formats(taker: Taker, files: Sequence[Media], advising: Advising) -> None:
    """Where a card says of a kind which formats of it are taken."""
    stated = taker.card.limits.media_types
    for one in files:
        kind, media_type = kind_of(one.media_type) or "", bare(one.media_type)
        if kind in stated and media_type not in stated[kind]:
            wrong = [other for other in files if bare(other.media_type) == media_type]
            hint = _("of {kind} it takes {types}", kind=kind, types=", ".join(stated[kind]))
            with advising({media_type}):
                raise _untaken(taker, wrong, {media_type}, hint)


def _untaken(
    taker: Taker, wrong: Sequence[Media], what: Collection[str], hint: str | None = None
) -> UsageError:
    return UsageError(
        _("{model} takes no {kinds}: {names}", model=taker.name, kinds=", ".join(sorted(what)),
          names=_named(wrong)),
        hint=hint,
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


def _refuse_size(card: "Card", files: Sequence[Media]) -> None:
    limits = card.limits
    for one in files:
        if one.length is None:
            continue
        most = limits.media_bytes.get(kind_of(one.media_type) or "", limits.attachment_bytes)
        if most is not None and one.length > most:
            raise UsageError(
                _("{name} is too large: {size} MB, and {provider} takes {most} MB at most",
                  name=one.name or one.media_type, size=_mb(one.length, up=True),
                  provider=card.name, most=_mb(most)),
                hint=_("attach a smaller one, or the part of it that matters"),
            )  # fmt: skip
    size, below = sum(one.length or 0 for one in files), limits.media_total_bytes
    if below is not None and size >= below:
        raise UsageError(
            _("{names}: {size} MB, and {provider} takes less than {most} MB in a request",
              names=_named(files), size=_mb(size, up=True), provider=card.name, most=_mb(below)),
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
        own = [part for part in one.parts if isinstance(part, Media)]
        kinds = sorted(kinds_in(own))
        if len(kinds) > 1 and not card.limits.media_mixed:
            raise UsageError(
                _("{provider} takes files of one kind in a message, not of several: {kinds}",
                  provider=card.name, kinds=", ".join(kinds)),
                hint=_("ask about one after the other: attach the next with -c"),
            )  # fmt: skip
        count = Counter(kind_of(part.media_type) for part in own)
        for kind, limit in card.limits.media_count.items():
            if count[kind] > limit:
                raise UsageError(
                    _("{provider} takes {limit} {kind} in a message, not {count}",
                      provider=card.name, limit=limit, kind=kind, count=count[kind]),
                    hint=_("ask about one after the other: attach the next with -c"),
                )  # fmt: skip


def _refuse_wordless(taker: Taker, call: "Chat | Count") -> None:
    """What the format has no place for."""
    try:
        taker.dialect.encode(call, taker.quirks)
    except UsageError as error:
        error.hint = "; ".join(filter(None, (error.hint, *_other_interface(taker, call))))
        raise


def _refuse_room(taker: Taker, call: "Chat | Count", files: Sequence[Media]) -> None:
    """The request as a whole: whether there is room for the files."""
    apart = {id(one) for one in taker.dialect.to_upload(call, taker.quirks)}
    most = taker.card.limits.body_bytes
    inside = [one for one in files if one.length is not None and id(one) not in apart]
    size = sum(((one.length or 0) + 2) // 3 * 4 for one in inside)
    if most is not None and size > most:
        raise UsageError(
            _("{names}: {size} MB as base64, and a request to {provider} has {most} MB at most",
              names=_named(inside), size=_mb(size, up=True), provider=taker.card.name,
              most=_mb(most)),
            hint=_("attach a smaller one, or the part of it that matters"),
        )  # fmt: skip


def _other_interface(taker: Taker, call: "Chat | Count") -> Iterator[str]:
    """The setting by which the same provider is asked in a format that has words for the files."""
    for setting, formats in taker.card.dialect_by.items():
        for value, name in formats.items():
            with suppress(LlmctlError):
                DIALECTS[name]().encode(call, taker.quirks)
                key = f"providers.{taker.card.id}.{setting}"
                yield _("{key} = {value} takes it", key=key, value=value)


def _mb(size: int, *, up: bool = False) -> str:
    """Megabytes with a digit where they are few; what is too much is never rounded to what is
    allowed."""
    tenths = -(-size // 100_000) if up else size // 100_000
    return f"{tenths / 10:g}"


def _unknown(route: "Route", taker: Taker, files: Sequence[Media]) -> Iterator[Notice]:
    if taker.kinds is None and not can_tell(route):
        text = _("Whether {model} takes {kinds} is not known here; its server will say.",
                 model=route.requested, kinds=", ".join(sorted(kinds_in(files))))  # fmt: skip
        yield Notice("inputs-unknown", text)
