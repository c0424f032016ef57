"""A model's file from the Hugging Face Hub: resumable, at a fixed revision, with the checksum that
the Hub states, pinned at the first pull."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from llmctl.engine import weights
from llmctl.engine.pull import Pull, room
from llmctl.errors import NetworkFailed, NotFound
from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.cards import Weights
    from llmctl.settings import Settings
    from llmctl.transport.dial import Dialling

ENDPOINT = "https://huggingface.co"
URL = "hub_url"  # its name on cards and in settings
BRANCH = "main"
PROVIDER = "huggingface"
# How often a transfer that gets further each time is taken up again.
MOST_RESUMES = 20


def endpoint(settings: "Settings | None" = None) -> str:
    """The Hub's address: the settings' own, else HF_ENDPOINT, which names a mirror."""
    own = settings.providers.get(PROVIDER) if settings else None
    given = (own.urls.get(URL) if own else None) or os.environ.get("HF_ENDPOINT", "")
    return given.rstrip("/") or ENDPOINT


def token(settings: "Settings | None" = None) -> str | None:
    """HF_TOKEN, else the key that is stored for the provider, else what `hf auth login` has left in
    the Hub's folder. Raises what reading a key may raise."""
    if given := os.environ.get("HF_TOKEN", "").strip():
        return given
    if settings is not None:
        from llmctl import catalogue
        from llmctl.keys import find
        from llmctl.settings import ProviderSettings

        own = settings.providers.get(PROVIDER, ProviderSettings())
        if (secret := find(catalogue.card(PROVIDER, settings), own)) is not None:
            return secret.reveal()
    home = os.environ.get("HF_HOME") or Path("~/.cache/huggingface").expanduser()
    try:
        return (Path(home) / "token").read_text(encoding="ascii").strip() or None
    except (OSError, ValueError):
        return None


async def from_hub(order: Pull, known: "Weights", part: Path) -> tuple[str, str]:
    """Fetch the file to `part`, from where an earlier try left off; (checksum, source)."""
    from llmctl.transport.download import Source, size_of

    headers = key_header(order.settings)
    how = dialling(order.settings)
    root = endpoint(order.settings)

    def at(revision: str) -> str:
        return f"{root}/{known.hub}/resolve/{revision}/{quote(known.file or '')}"

    asked = known.revision or BRANCH
    try:
        found = await Source(at(asked), how, headers).look()
    except NotFound:
        if asked == BRANCH or known.verified:
            raise
        asked = BRANCH  # a revision that the catalogue has by hearsay
        found = await Source(at(asked), how, headers).look()
    revision = found.revision or asked
    size = found.size or known.size
    stamp = part.with_name(f"{part.name}.of")
    _drop_other(part, stamp, found.sha256 or revision)
    room(part.parent, (size or 0) - size_of(part))
    source = Source(at(revision), how, headers)
    with order.progress(_("Fetching {model} from {host}", model=order.model.id,
                          host=root.partition("//")[2]), size) as report:  # fmt: skip
        for tried in range(MOST_RESUMES):
            before = size_of(part)
            try:
                await source.fetch(part, report)
                break
            except NetworkFailed:
                if size_of(part) <= before or tried == MOST_RESUMES - 1:
                    raise
    stamp.unlink(missing_ok=True)
    digest = await weights.sha256_calmly(part)
    if (stated := found.sha256 or known.sha256) is not None and digest != stated:
        part.unlink(missing_ok=True)
        raise NetworkFailed(
            _("{file} did not arrive as the Hub has it: the checksum differs", file=known.file),
            reason="checksum",
            hint=_("try it again: llmctl models pull local/{model}", model=order.model.id),
        )
    return digest, f"{known.hub}@{revision}"


def _drop_other(part: Path, stamp: Path, identity: str) -> None:
    """Begin anew where what lies there belongs to another file or revision."""
    try:
        same = stamp.read_text(encoding="ascii") == identity
    except (OSError, ValueError):
        same = False
    if not same:
        part.unlink(missing_ok=True)
        stamp.write_text(identity, encoding="ascii")


def key_header(settings: "Settings") -> dict[str, str]:
    """The header with the token; empty without one, which most of the Hub needs not."""
    return {"Authorization": f"Bearer {key}"} if (key := token(settings)) else {}


def dialling(settings: "Settings") -> "Dialling":
    """How the Hub is reached: as the settings have it for the provider of that name."""
    from llmctl.settings import ProviderSettings
    from llmctl.transport.dial import Dialling

    network = settings.network
    own = settings.providers.get(PROVIDER, ProviderSettings())
    return Dialling(
        provider=PROVIDER,
        ca_file=own.ca_file or network.ca_file,
        proxy=own.proxy or network.proxy,
        local_only=settings.policy.local_only,
        timeout=network.connect_timeout,
    )
