"""The search of a call: which types are looked for, and what was found where."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from llmctl.errors import LlmctlError, PrivacyRefused
from llmctl.messages import _
from llmctl.privacy.pieces import Place
from llmctl.settings import Policy
from llmctl.settings.tighten import handled
from llmctl.types import Notice
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.privacy.detect import Finding

# From here on the user wonders what is going on.
SLOW_S = 0.5
LARGE = 20_000  # characters; below, it is loading what knows names that takes the time
EXTRA = ("slovnet", "navec", "natasha")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`secrets` is block, redact or allow; `personal` the types of personal data that are looked
    for; `names_missing` says that people's names should be, and cannot."""

    secrets: str
    personal: tuple[str, ...] = ()
    names: bool = False
    names_missing: bool = False

    def __bool__(self) -> bool:
        return self.secrets != "allow" or bool(self.personal) or self.names

    @property
    def types(self) -> tuple[str, ...]:
        return (*self.personal, *(() if self.secrets == "allow" else ("secret",)))


@dataclass(frozen=True, slots=True)
class Hit:
    """One finding; `line` counts from 1 in the text, from 0 in a file with its bounds, and is None
    in what has no lines."""

    finding: "Finding"
    place: Place
    line: int | None


@dataclass(frozen=True, slots=True)
class Searched:
    """A text with what was found in it, in order."""

    text: str
    place: Place
    findings: Sequence["Finding"]

    def hits(self) -> Iterator[Hit]:
        if not self.place.has_lines:
            yield from (Hit(one, self.place, None) for one in self.findings)
            return
        at, line = 0, int(self.place.kind != "file")
        for one in self.findings:
            line += self.text.count("\n", at, one.start)
            at = one.start
            yield Hit(one, self.place, line)


def wanted(policy: Policy, *, is_local: bool) -> Wanted:
    """What the policy has looked for. Where it says nothing, secrets are held back from whatever
    is not the user's own."""
    secrets = policy.secrets or ("allow" if is_local else "block")
    if policy.pii is None and not policy.pii_by and policy.pii_regions is None:
        return Wanted(secrets=secrets)
    from llmctl.privacy.detect import STRUCTURED

    personal = tuple(
        kind
        for kind in STRUCTURED
        if policy.pii_regions is not None or handled(policy, kind) not in (None, "allow")
    )
    names = handled(policy, "person") not in (None, "allow")
    there = names and _has_extra()
    return Wanted(
        secrets=secrets, personal=personal, names=there, names_missing=names and not there
    )


def _has_extra() -> bool:
    from importlib.util import find_spec

    return all(find_spec(one) is not None for one in EXTRA)


def search(texts: Sequence[tuple[str, Place]], what: Wanted) -> tuple[list[Searched], list[Notice]]:
    """What stands in the texts, and a note where that took long. Raises PrivacyRefused where the
    search itself fails: what was not searched does not leave."""
    begun = time.monotonic()
    found = []
    try:
        from llmctl.privacy.detect import find

        for text, place in texts:
            findings = find(text, types=what.types, names=what.names) if text else []
            if place.kind in ("file", "name") and (at := _stem_at(text, place)):
                named = find(text[at], types=what.types, names=what.names)
                findings = _with_stem(findings, named, at.start)
            found.append(Searched(text, place, findings))
    except Exception as error:  # whatever it is, the text was not searched; it may quote it
        raise PrivacyRefused(
            _("the search for secrets and personal data failed ({why}), so nothing was sent",
              why=error.message if isinstance(error, LlmctlError) else type(error).__name__),
            hint=_("report it; llmctl privacy check FILE searches a file alone"),
            reason="search-failed",
        ) from None  # fmt: skip
    took = time.monotonic() - begun
    size = sum(len(text) for text, _place in texts)
    if took <= SLOW_S or size < LARGE:
        return found, []
    note = _("Searching {size:.2f} million characters for secrets and personal data took"
             " {seconds:.1f} s.", size=size / 1e6, seconds=took)  # fmt: skip
    return found, [Notice("searched", note)]


def _stem_at(text: str, place: Place) -> slice | None:
    """Where the name of a file stands in its text, without what tells its kind: an address before
    `.txt` reads like another address."""
    name = text if place.kind == "name" else place.name or ""
    at = 0 if place.kind == "name" else text.find(name, 0, text.find("\n"))
    stem = name.rpartition(".")[0]
    return slice(at, at + len(stem)) if at >= 0 and stem else None


def _with_stem(findings: "list[Finding]", named: "list[Finding]", at: int) -> "list[Finding]":
    """Both, in order; of two at one place the one that the whole text gave."""
    moved = [replace(one, start=one.start + at, end=one.end + at) for one in named]
    last = max((one.end for one in moved), default=0)
    near = [one for one in findings if one.start < last]
    new = [
        one
        for one in moved
        if not any(one.start < other.end and other.start < one.end for other in near)
    ]
    return sorted([*findings, *new], key=lambda one: one.start)
