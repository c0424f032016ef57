"""The data-set viewer of the Hugging Face Hub behind one connection: questions, and what its errors
mean."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from llmctl.dialects import HttpCall, failures
from llmctl.dialects.look import at, parse
from llmctl.engine.hub import PROVIDER, token
from llmctl.engine.retry import Retries, asked_wait
from llmctl.errors import AuthFailed, LlmctlError, NotFound, ProviderFailed, Rejected
from llmctl.keys.secret import masked
from llmctl.messages import _
from llmctl.types import Json
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.keys import Secret
    from llmctl.settings import Loaded, Settings
    from llmctl.transport.exchange import Lane

URL = "datasets_url"
REFUSED = ("ExternalUnauthenticatedError", "ExternalAuthenticatedError")
NOT_READY = "ResponseNotReady"


class Viewer:
    """Asks about one data set."""

    def __init__(
        self,
        dataset: str,
        lane: "Lane",
        retries: Retries,
        secret: "Secret | None",
        settings: "Settings",
    ) -> None:
        self.dataset = dataset
        self._lane = lane
        self._retries = retries
        self._secret = secret
        self._settings = settings

    async def __aenter__(self) -> "Viewer":
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self._lane.aclose()

    async def asked(self, path: str, query: Mapping[str, Json]) -> Json:
        """One answer, asked for again as any request is. Raises LlmctlError."""
        text = urlencode({"dataset": self.dataset, **query})
        http = HttpCall("GET", f"{path}?{text}", base=URL)
        waited, tried = 0.0, 0
        while True:
            tried += 1
            try:
                async with self._lane.exchange(http) as reply:
                    if 200 <= reply.status < 300:
                        frames = reply.frames(http.framing)
                        return parse("".join([frame.data async for frame in frames]))
                    error = refused(reply.status, reply.headers, await reply.text(), self.dataset)
                    error.retry_after_s = asked_wait(reply.headers, error.message, time.time)
            except LlmctlError as failed:
                error = failed
            wait = self._retries.wait(error, tried, waited)
            if wait is None:
                raise self.placed(await self._explained(error))
            await asyncio.sleep(wait)
            waited += wait

    async def _explained(self, error: LlmctlError) -> LlmctlError:
        """The viewer does not tell what there is not from what is not open to us; the Hub does."""
        if error.reason != "refused":
            return error
        from llmctl.engine.hub_api import pages, wrong_token

        path = f"api/datasets/{quote(self.dataset)}"
        gate: Json = None
        try:
            async for answer in pages(path, [("expand[]", "gated")], self._settings):
                gate = at(answer, "gated")
                break
        except (AuthFailed, NotFound) as said:
            if said.status == 401 and self._secret is not None:
                error.hint = wrong_token()
                return error
            return missing(self.dataset, error, keyed=self._secret is not None)
        except LlmctlError:  # the Hub is not to be reached: what the viewer said has to do
            return error
        return gated(self.dataset, error) if gate else error

    def placed(self, error: LlmctlError) -> LlmctlError:
        """With its provider and host, and without a key that was repeated."""
        error.provider = error.provider or PROVIDER
        error.host = error.host or self._lane.target.host
        error.message = masked(error.message, self._secret, self._lane.tokens)
        error.args = (error.message,)
        return error


def viewer_of(dataset: str, loaded: "Loaded | None") -> Viewer:
    """The viewer as the settings of `huggingface` have it reached. Raises PrivacyRefused where
    policy lets nothing leave this machine."""
    from llmctl import catalogue, settings
    from llmctl.engine.listing import refuse_to_ask
    from llmctl.engine.reach import merged, stated, target_of
    from llmctl.keys import Secret, find
    from llmctl.settings import ProviderSettings
    from llmctl.transport.exchange import Lane

    loaded = loaded or settings.load()
    card = catalogue.card(PROVIDER, loaded.settings)
    own = loaded.settings.providers.get(PROVIDER, ProviderSettings())
    refuse_to_ask(card, loaded)
    secret = find(card, own)
    if secret is None and (there := token()) is not None:
        secret = Secret(there, "hf auth login")
    quirks = replace(merged(card.quirks), settings=stated(card, own))
    target = target_of(card, own, loaded.settings, secret, quirks)
    network = loaded.settings.network
    retries = Retries(network.retries, network.backoff, max_wait=network.max_wait)
    lane = Lane(replace(target, base_url=target.urls[URL], timeout=network.timeout))
    return Viewer(dataset, lane, retries, secret, loaded.settings)


def page_of(dataset: str) -> str:
    return f"https://huggingface.co/datasets/{dataset}"


def refused(status: int, headers: Mapping[str, str], body: str, dataset: str) -> LlmctlError:
    """The error for an answer of the viewer, which has codes of its own in a header."""
    error = failures.failure(status, headers, body)
    code = headers.get("x-error-code", "")
    if code in REFUSED or status == 401:
        return AuthFailed(
            _("there is no data set {dataset}, or it is not open to everybody", dataset=dataset),
            hint=_("see {page}; if it is gated, accept its terms there and set a key: llmctl keys"
                   " set huggingface", page=page_of(dataset)),
            status=status,
            reason="refused",
        )  # fmt: skip
    if code.startswith(NOT_READY):
        error = ProviderFailed(error.message, status=status, reason="not-ready", retryable=True)
        error.hint = _("its viewer is still being made; try it again in a few minutes")
    elif isinstance(error, NotFound):
        error.hint = _("see what it has: {page}", page=page_of(dataset))
        error.reason = "dataset"
    elif isinstance(error, Rejected):
        error.hint = _("the viewer does not show this data set: {page}", page=page_of(dataset))
    return error


def gated(dataset: str, error: LlmctlError) -> AuthFailed:
    """The error for a data set whose terms are to be accepted first."""
    return AuthFailed(
        _("{repo} is gated: its makers want its terms accepted first", repo=dataset),
        hint=_("accept them at {page}, then set HF_TOKEN to a token of that account (or: llmctl"
               " keys set huggingface)", page=page_of(dataset)),
        status=error.status,
        reason="gated",
    )  # fmt: skip


def missing(dataset: str, error: LlmctlError, *, keyed: bool) -> NotFound:
    """The error for a data set that there is not, as far as the Hub tells."""
    return NotFound(
        _("the Hub has no data set {dataset} that this token may see", dataset=dataset)
        if keyed
        else _("the Hub has no data set {dataset}, or not for everybody", dataset=dataset),
        hint=_("look for its name: https://huggingface.co/datasets"),
        status=error.status,
        reason="dataset",
    )
