"""A provider's certificate authority that this system does not know: found, judged, and stored for
that provider alone. Nothing here switches the check of certificates off."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.cards import Authority, Card
from llmctl.errors import ConfigError, NotFound, UsageError
from llmctl.files import unreadable, write_private
from llmctl.messages import _
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.transport.certificates import Certificate


@dataclass(frozen=True, slots=True)
class Candidate:
    """A certificate, the place it was found at, and what the card says of it: `known` is True for
    a fingerprint on the card, False for another one, None where the card has none or means an
    authority of another name."""

    certificate: "Certificate"
    source: str
    known: bool | None


def found(card: Card, home: Path | None = None) -> Candidate:
    """The provider's authority where systems and browsers keep such things, one whose fingerprint
    is known before others. Raises NotFound, with the place where it is to be had."""
    from llmctl.transport.certificates import find

    authority = card.authority
    if authority is None:
        raise UsageError(
            _("{provider} needs no certificate authority of its own", provider=card.id),
            hint=_("to trust one all the same: llmctl doctor {provider} --fix --ca FILE",
                   provider=card.id),
        )  # fmt: skip
    now = time.time()
    candidates = [
        Candidate(one, source, _known(one, authority))
        for one, source in find(authority.name, home or Path.home())
        if one.holds_at(now)
    ]
    candidates.sort(key=lambda one: one.known is not True)
    if not candidates:
        raise NotFound(
            _("the certificate of {name} is in none of the usual places on this machine",
              name=authority.name),
            hint=_("get it (the RSA root certificate, in any form) from its owner: {url}; then:"
                   " llmctl doctor {provider} --fix --ca FILE", url=authority.url,
                   provider=card.id),
            reason="authority",
            provider=card.id,
        )  # fmt: skip
    return candidates[0]


def given(card: Card, file: str) -> Candidate:
    """The authority in a file of the user's. Raises UsageError for one that cannot be read, else
    ConfigError for one that cannot be used."""
    from llmctl.transport.certificates import read

    path = Path(file).expanduser()
    try:
        certificates = read(path.read_bytes())
    except OSError as error:
        hint = _("--ca takes a file with a certificate, in PEM or DER form")
        raise unreadable(error, path, hint) from None
    authority = card.authority
    wanted = [one for one in certificates if authority and one.name == authority.name]
    chosen = wanted or certificates
    if not chosen:
        raise ConfigError(
            _("{path} holds no certificate of an authority", path=path),
            hint=_("--ca takes a file with a certificate, in PEM or DER form"),
        )
    if len(chosen) > 1:
        raise ConfigError(
            _("{path} holds {count} authorities; which one is meant?", path=path,
              count=len(chosen)),
            hint=_("put the one to be trusted into a file of its own"),
        )  # fmt: skip
    one = chosen[0]
    if not one.holds_at(time.time()):
        raise ConfigError(
            _("the certificate in {path} is valid only from {begin} to {end}", path=path,
              begin=one.not_before, end=one.not_after),
            hint=_("is this machine's clock right? else get the current one from its owner"),
        )  # fmt: skip
    return Candidate(one, str(path), _known(one, authority) if wanted and authority else None)


def _known(one: "Certificate", authority: Authority) -> bool | None:
    return one.sha256 in authority.sha256 if authority.sha256 else None


def adopt(provider: str, certificate: "Certificate") -> Path:
    """Keep a copy of the certificate and name it in the provider's settings, and in nobody else's;
    where the copy is. Raises IoFailed."""
    path = settings.paths().config / "certificates" / f"{provider}.pem"
    write_private(path, certificate.pem.encode())
    settings.set_value(f"providers.{provider}.ca_file", os.fspath(path))
    return path
