"""Yandex Cloud's credentials: keys that are sent as they stand, and IAM tokens fetched with others.

What a bare key is, its shape tells, as in the provider's own tools. IAM tokens live for hours, but
are to be renewed hourly; one is fetched for all processes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncGenerator

import httpx

from llmctl.errors import AuthFailed
from llmctl.messages import _
from llmctl.transport.auth import Grant, renewed
from llmctl.transport.auth.tokens import Clock, Shelf, Token, wall_clock
from llmctl.transport.auth.yandex_sources import (
    AuthorisedKey,
    CommandLine,
    Metadata,
    OAuthToken,
    Source,
)

IAM_TOKEN = re.compile(r"t\d\.")
OAUTH_TOKEN = re.compile(r"y[0123]_[-\w]")


def login(grant: Grant) -> httpx.Auth:
    """The flow for what there is: the key, else a service account's key file, else the machine's
    own account, else the provider's command line; `login` picks one of the last two outright.

    Raises AuthFailed where there is nothing of that, ConfigError for a key file that is none.
    """
    how = grant.settings.get("login")
    if how is None and grant.secret is not None:
        if OAUTH_TOKEN.match(grant.secret):
            return Renewed(grant, OAuthToken(grant, grant.secret))
        scheme = "Bearer" if IAM_TOKEN.match(grant.secret) else "Api-Key"
        return Fixed(f"{scheme} {grant.secret}")
    return Renewed(grant, _source(grant, how))


def _source(grant: Grant, how: str | None) -> Source:
    if how is None and (path := grant.settings.get("sa_key_file")):
        return AuthorisedKey(grant, path)
    if how == "metadata" or (how is None and grant.settings.get("metadata_host")):
        return Metadata(grant)
    if command := shutil.which("yc"):
        return CommandLine(grant, command)
    if how == "yc":
        raise AuthFailed(
            _("the command yc is not there"),
            hint=_("install it, or choose another way:"
                   " llmctl config unset providers.{provider}.login", provider=grant.provider),
            provider=grant.provider,
            reason="no-key",
        )  # fmt: skip
    raise AuthFailed(
        _("there is no key for {provider}", provider=grant.provider),
        hint=_(
            "store one: llmctl keys set {provider}; or name a service account's key file:"
            " llmctl config set providers.{provider}.sa_key_file FILE",
            provider=grant.provider,
        ),
        provider=grant.provider,
        reason="no-key",
    )


class Fixed(httpx.Auth):
    """A key, or a token from elsewhere: there is nothing to renew it with."""

    def __init__(self, value: str) -> None:
        self._value = value

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = self._value
        yield request


class Renewed(renewed.Renewed):
    """The IAM token that a source gives."""

    def __init__(self, grant: Grant, source: Source, *, clock: Clock = wall_clock) -> None:
        self._source = source
        super().__init__(Shelf(grant.cache, grant.provider, *source.identity), clock)

    async def at_hand(self, now: float) -> Token | None:
        return await self._source.token(now) if isinstance(self._source, CommandLine) else None

    def request(self, now: float) -> httpx.Request:
        assert not isinstance(self._source, CommandLine)  # noqa: S101  it always has one at hand
        return self._source.request(now)

    def granted(self, response: httpx.Response, now: float) -> Token:
        assert not isinstance(self._source, CommandLine)  # noqa: S101  it always has one at hand
        return self._source.granted(response, now)


AUTH = login
