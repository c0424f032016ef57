"""What is behind addresses that the user has attached, fetched by llmctl itself (`--fetch`).

The user may name any host. A host that somebody else names, by a redirect, may not lead into the
user's own network: what is there would be handed to a provider.
"""

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from llmctl.engine.kinds import shown_address
from llmctl.errors import LlmctlError, NetworkFailed, PrivacyRefused, ProviderFailed
from llmctl.messages import _
from llmctl.privacy.levels import HERE, distance
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.settings import Loaded

# Bytes of what is fetched, all of which is held until it was sent.
LARGEST = 32 * 2**20


def refuse_far(url: str, loaded: "Loaded") -> None:
    """Raises PrivacyRefused where policy keeps everything nearer than the host of an address: being
    asked for a file tells it something."""
    policy = loaded.settings.policy
    if policy.max_level in HERE and distance(url).rank > policy.max_level.rank:
        raise PrivacyRefused(
            _("policy ({origin}) forbids to fetch anything from {host}",
              origin=loaded.origin("policy.max_level"), host=urlsplit(url).hostname),
            hint=_("attach a file that is here already: -a FILE"),
        )  # fmt: skip


async def fetch(url: str, loaded: "Loaded", transport: Any = None) -> bytes:
    """What is behind an address, without any key. Raises PrivacyRefused where policy forbids it or
    a redirect leads into the user's own network, ProviderFailed for more than LARGEST bytes, and
    what downloads raise. `transport` takes the place of the wire in tests."""
    from llmctl.transport.dial import Dialling
    from llmctl.transport.download import Source

    refuse_far(url, loaded)
    network = loaded.settings.network
    how = Dialling(
        provider="",
        ca_file=network.ca_file,
        proxy=network.proxy,
        local_only=loaded.settings.policy.local_only,
        timeout=network.connect_timeout,
    )
    source = Source(
        url,
        how,
        {},
        idle_timeout=network.idle_timeout,
        transport=transport,
        elsewhere=replace(how, public_only=True),
    )
    try:
        async with asyncio.timeout(network.timeout):
            return await source.read(LARGEST)
    except TimeoutError:
        raise NetworkFailed(
            _("no whole answer within {seconds:g} s", seconds=network.timeout),
            host=urlsplit(url).hostname,
            reason="timeout",
            hint=_("allow more with --timeout SECONDS"),
            retryable=False,
        ) from None
    except ProviderFailed as error:
        if error.reason == "endless":
            raise ProviderFailed(
                _(
                    "more than {limit} MB are behind {url}",
                    limit=LARGEST >> 20,
                    url=shown_address(url),
                ),
                hint=_("download it, and attach the file: files may be larger"),
                reason="too-large",
                retryable=False,
            ) from None  # fmt: skip
        _advise(error)
        raise
    except PrivacyRefused:
        raise
    except LlmctlError as error:
        _advise(error)
        raise


def _advise(error: LlmctlError) -> None:
    error.hint = _("is the address right, and open to everybody? else download it, and attach the"
                   " file")  # fmt: skip
