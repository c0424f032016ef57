"""What stands in a call that must not leave as it is: found, blocked or replaced before anything
else looks at the call."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from llmctl.dialects.media import files_of
from llmctl.messages import _
from llmctl.settings import Loaded, Policy
from llmctl.settings.tighten import handled
from llmctl.types import NOTHING, Call, Notice
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.privacy.pieces import Place
    from llmctl.privacy.placeholders import Placeholders
    from llmctl.privacy.recurring import Recurring
    from llmctl.privacy.restore import Restorer
    from llmctl.privacy.searching import Hit, Searched, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """`call` as it may leave, `before` as it was. `redactions` counts placeholders by type of what
    they stand for, `found` everything that was found by type, redacted or not, and `left` what of
    it is still there. `placeholders` know what they stand for; None where nothing was searched."""

    call: Call
    before: Call | None = None
    redactions: Mapping[str, int] = NOTHING
    found: Mapping[str, int] = NOTHING
    left: Mapping[str, int] = NOTHING
    placeholders: "Placeholders | None" = None
    notes: tuple[Notice, ...] = ()

    def restorer(self) -> "Restorer | None":
        """Puts the originals back into an answer; None where nothing was replaced."""
        if not self.placeholders:
            return None
        from llmctl.privacy.restore import Restorer

        return Restorer(self.placeholders.originals, self.placeholders.numbers)


def screen(
    call: Call,
    loaded: Loaded,
    *,
    is_local: bool,
    earlier: Screened | None = None,
) -> Screened:
    """The call as policy lets it leave. `is_local` says that it stays on the user's own hardware;
    `earlier` is what was made of the same call before it was made longer, whose placeholders hold.

    Raises PrivacyRefused, naming what was found where and never showing it.
    """
    from llmctl.privacy.searching import wanted

    policy = loaded.settings.policy
    what = wanted(policy, is_local=is_local)
    before = (earlier and earlier.before) or call
    own_names = loaded.settings.privacy.redact_names
    if not (what or what.names_missing or own_names is not None):
        return Screened(call=call, before=before)
    from llmctl.privacy import pieces
    from llmctl.privacy.searching import search

    if what.names_missing:
        from llmctl.privacy.refusing import refuse_unnamed

        refuse_unnamed(loaded)
    texts: dict[tuple[str, Place], None] = {}

    def noted(text: str, place: "Place") -> str:
        texts[text, place] = None
        return text

    pieces.changed(call, noted)
    searched, notes = search(list(texts), what)
    hits = [hit for one in searched for hit in one.hits()]
    if hits:
        from llmctl.privacy.refusing import refuse_blocked

        refuse_blocked(hits, what, loaded, is_local=is_local)
    files = files_of(call)
    if files and not is_local:
        from llmctl.privacy.refusing import refuse_unsearched

        named = {one.text for one in searched if one.findings and one.place.kind == "name"}
        refuse_unsearched([one for one in files if one.ref is None], loaded, named)
    hidden = {
        kind
        for kind in {hit.finding.type for hit in hits}
        if (what.secrets if kind == "secret" else handled(policy, kind)) == "redact"
    }
    names = None if own_names is None else _listed(own_names, loaded)
    screened = _redacted(call, searched, hidden, names, earlier)
    if earlier is None:
        by_policy = loaded.origin("policy.pii").kind not in ("flag", "shipped")
        notes += _notes(hits, policy, what, call, by_policy=by_policy)
    return replace(screened, before=before, notes=tuple(notes))


def _listed(path: str, loaded: Loaded) -> "Recurring":
    """The user's own list; a file that was named on the command line is their input."""
    from llmctl.errors import ConfigError, UsageError
    from llmctl.privacy.recurring import listed_names

    named = loaded.origin("privacy.redact_names").kind == "flag"
    return listed_names(path, UsageError if named else ConfigError)


def _redacted(
    call: Call,
    searched: "Sequence[Searched]",
    hidden: set[str],
    own_names: "Recurring | None",
    earlier: Screened | None,
) -> Screened:
    """The call with placeholders for what is `hidden`, by type, and for the user's own list."""
    found = counted(finding.type for one in searched for finding in one.findings)
    left = {kind: number for kind, number in found.items() if kind not in hidden}
    placeholders = earlier.placeholders if earlier else None
    if not (hidden or placeholders or own_names is not None):
        return Screened(call=call, found=found, left=left)
    from llmctl.privacy import pieces
    from llmctl.privacy.placeholders import Placeholders, Span
    from llmctl.privacy.recurring import Recurring

    placeholders = placeholders or Placeholders()
    names = own_names or Recurring()
    again = Recurring()
    for name, value in placeholders.originals.items():
        again.add(placeholders.kind(name), value)
    spans: list[list[Span]] = []
    for one in searched:
        placeholders.avoid(one.text)
        mine = [Span(hit.start, hit.end, hit.type) for hit in one.findings if hit.type in hidden]
        mine += names.spans(one.text)
        for hit in one.findings:
            if hit.type in hidden and hit.severe:  # else it may be a word like others
                again.add(hit.type, one.text[hit.start : hit.end])
        spans.append(mine)
    made: dict[tuple[str, Place], str] = {}
    for one, mine in zip(searched, spans, strict=True):
        if every := [*mine, *again.spans(one.text)]:
            is_json = pieces.is_json(one.text)
            made[one.text, one.place] = placeholders.redact(one.text, every, is_json=is_json)
    call = pieces.changed(call, lambda text, place: made.get((text, place), text))
    return Screened(
        call=call,
        redactions=placeholders.counts,
        found=found,
        left=left,
        placeholders=placeholders,
    )


def _notes(
    hits: "Sequence[Hit]", policy: Policy, what: "Wanted", call: Call, *, by_policy: bool
) -> list[Notice]:
    """What the user should know of what was found, and of what was not looked at; `by_policy` says
    that a file demands it, which no flag may hush up."""
    from llmctl.privacy import pieces

    notes = []
    if what.names_missing:
        text = _("Names of people are not covered; for Russian ones: {command}",
                 command="pip install 'llmctl-cli[pii]'")  # fmt: skip
        notes.append(Notice("names-not-covered", text, insists=by_policy))
    warned = counted(
        hit.finding.type for hit in hits if handled(policy, hit.finding.type) == "warn"
    )
    warned.pop("secret", None)
    if warned:
        text = _("The prompt has personal data in it: {found}.", found=listed(warned))
        notes.append(Notice("personal-data", text))
    maybe = [hit for hit in hits if hit.finding.type == "secret" and not hit.finding.severe]
    if maybe and what.secrets == "block":
        text = _("{count} places look like passwords or keys, the first: {place}. To replace them:"
                 " --secrets redact", count=len(maybe),
                 place=pieces.said(maybe[0].place, maybe[0].line))  # fmt: skip
        notes.append(Notice("maybe-secret", text))
    if unread := [one.name or one.media_type for one in files_of(call)]:
        text = _("Not searched, since only text is: {names}.", names=", ".join(unread))
        notes.append(Notice("not-searched", text))
    return notes


def counted(kinds: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind in kinds:
        found[kind] = found.get(kind, 0) + 1
    return found


def listed(counts: Mapping[str, int]) -> str:
    """Such as `2 email, 1 phone`."""
    return ", ".join(f"{number} {kind}" for kind, number in counts.items())
