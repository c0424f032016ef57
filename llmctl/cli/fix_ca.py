"""`llmctl doctor PROVIDER --fix`: trust in the authority of a provider's certificates, asked for
and given to this provider alone."""

import sys
from typing import TYPE_CHECKING

from llmctl.errors import UsageError
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.engine.authority import Candidate
    from llmctl.settings import Loaded


def fix(provider: str, file: str | None, *, yes: bool, loaded: "Loaded") -> None:
    """Find the certificate or take the user's, show it, ask, and store it.

    Raises NotFound where there is none, UsageError where nobody can be asked.
    """
    from llmctl import catalogue
    from llmctl.engine.authority import adopt, found, given
    from llmctl.output.streams import err, out
    from llmctl.output.terminal import safe_line

    card = catalogue.card(provider, loaded.settings)
    candidate = given(card, file) if file else found(card)
    for line in described(candidate):
        err(safe_line(line) + "\n")
    # A fingerprint that is not the expected one is for a person to judge, unless it is her file.
    unasked = yes and (candidate.known is not False or file is not None)
    if not unasked and not agreed(provider, strange=candidate.known is False):
        err(_("Nothing was changed.") + "\n")
        return
    path = adopt(provider, candidate.certificate)
    said = _("{provider} now trusts it, nothing else does: {path}", provider=provider, path=path)
    out(safe_line(said) + "\n")
    err(_("Try it: llmctl doctor {provider} --live", provider=provider) + "\n")


def described(candidate: "Candidate") -> list[str]:
    one = candidate.certificate
    match candidate.known:
        case True:
            judged = _("as it is known for this authority")
        case False:
            judged = _("NOT the one that is known for this authority")
        case None:
            judged = _("compare it with what its owner publishes")
    return [
        _("certificate  {subject}", subject=one.subject),
        _("found in     {source}", source=candidate.source),
        _("valid        {begin} to {end}", begin=one.not_before, end=one.not_after),
        _("SHA-256      {fingerprint}", fingerprint=one.fingerprint),
        _("             {judged}", judged=judged),
    ]


def agreed(provider: str, *, strange: bool) -> bool:
    """Ask on a terminal, where Enter means no; elsewhere raises UsageError."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            _("trust is asked for first, and this is no terminal"),
            hint=_("compare the fingerprint yourself, then name the file: llmctl doctor {provider}"
                   " --fix --yes --ca FILE", provider=provider)
            if strange
            else _("if it is the right one: llmctl doctor {provider} --fix --yes",
                   provider=provider),
        )  # fmt: skip
    from llmctl.output.streams import err

    question = _("Trust it for connections to {provider}?", provider=provider)
    err(question + " " + _("[y/N]") + " ")
    return sys.stdin.readline().strip().lower() in ("y", "yes", "д", "да")
