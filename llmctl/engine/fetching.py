"""What is behind addresses that the user has attached, fetched by llmctl itself (`--fetch`).

The user may name any host. A host that somebody else names, by a redirect, may not lead into the
user's own network: what is there would be handed to a provider.
"""

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from llmctl.engine.kinds import shown_address
from llmctl.errors import (
    AuthFailed,
    LlmctlError,
    NetworkFailed,
    NotFound,
    PrivacyRefused,
    ProviderFailed,
    RateLimited,
    UsageError,
)
from llmctl.messages import _
from llmctl.privacy.levels import HERE, distance
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.settings import Loaded
    from llmctl.transport.download import Source

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
    a redirect leads into the user's own network, UsageError for more than LARGEST bytes and where
    the host answers with no file (it is no provider, and no key would help), NetworkFailed where it
    is not reached. `transport` takes the place of the wire in tests."""
    refuse_far(url, loaded)
    seconds = loaded.settings.network.timeout
    try:
        async with asyncio.timeout(seconds):
            return await _source(url, loaded, transport).read(LARGEST)
    except TimeoutError:
        raise NetworkFailed(
            _("no whole answer within {seconds:g} s", seconds=seconds),
            host=urlsplit(url).hostname,
            reason="timeout",
            hint=_("allow more with --timeout SECONDS"),
            retryable=False,
        ) from None
    except (AuthFailed, NotFound, RateLimited, ProviderFailed) as error:
        raise _no_file(url, error) from None
    except NetworkFailed as error:
        if error.reason not in ("proxy", "idle"):  # their own hints name no provider
            error.hint = _advice()
        raise


def _source(url: str, loaded: "Loaded", transport: Any) -> "Source":
    from llmctl.transport.dial import Dialling
    from llmctl.transport.download import Source

    network = loaded.settings.network
    how = Dialling(
        provider="",
        ca_file=network.ca_file,
        proxy=network.proxy,
        local_only=loaded.settings.policy.local_only,
        timeout=network.connect_timeout,
    )
    return Source(
        url,
        how,
        {},
        idle_timeout=network.idle_timeout,
        transport=transport,
        elsewhere=replace(how, public_only=True),
    )


def _no_file(url: str, error: LlmctlError) -> UsageError:
    """The error for an answer that is not what was to be attached."""
    if error.reason == "endless":
        return UsageError(
            _("more than {limit} MB are behind {url}", limit=LARGEST >> 20, url=shown_address(url)),
            hint=_("download it, and attach the file: files may be larger"),
            host=urlsplit(url).hostname,
            reason="too-large",
        )
    if error.status is None:
        return _not_fetched(url, error.message)
    refused = _not_fetched(
        url, _("{host} answered {status}", host=error.host, status=error.status)
    )  # fmt: skip
    refused.host, refused.status = error.host, error.status
    return refused


def _not_fetched(url: str, cause: str) -> UsageError:
    return UsageError(
        _("{url} cannot be fetched: {cause}", url=shown_address(url), cause=cause), hint=_advice()
    )


def _advice() -> str:
    return _("is the address right, and open to everybody? else download it, and attach the file")
