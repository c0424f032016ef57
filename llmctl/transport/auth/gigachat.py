"""GigaChat's tokens: half an hour for an authorization key, the same one for all processes.

What the key is, its shape tells: the authorization key is base64 of `id:secret`, an access token a
JWE; with a user set, anything else is a password. The setting `login` says it outright.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import httpx

from llmctl import __version__
from llmctl.dialects import failures
from llmctl.dialects.look import at, float_at, int_at, text_at
from llmctl.errors import AuthFailed, ConfigError, LlmctlError, ProviderFailed
from llmctl.messages import _
from llmctl.transport.auth import Grant, renewed
from llmctl.transport.auth.tokens import Clock, Shelf, Token, life_of, wall_clock
from llmctl.types import Json

USUAL_LIFE_S = 30 * 60.0

SCOPES = ("GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP")

# `code` of a refusal by the token server.
BAD_SCOPES, UNKNOWN_KEY, OTHER_SCOPE = (1, 5), 6, 7


def login(grant: Grant) -> httpx.Auth:
    """The flow for what the key is. Without one a client certificate, or nothing, has to do."""
    if grant.secret is None:
        return httpx.Auth()
    kind = grant.settings.get("login") or guessed(grant.secret, grant.settings.get("user"))
    if kind == "token":
        return Preset(grant.secret)
    return Renewed(grant, with_password=kind == "password")


def guessed(secret: str, user: str | None) -> str:
    """key, token or password."""
    if is_authorization_key(secret):
        return "key"
    if secret.startswith("eyJ") and "." in secret:
        return "token"
    return "password" if user else "key"


def is_authorization_key(secret: str) -> bool:
    try:
        return b":" in base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return False


class Preset(httpx.Auth):
    """An access token from elsewhere: there is nothing to renew it with."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class Renewed(renewed.Renewed):
    """The token for an authorization key, or for a user and password."""

    def __init__(self, grant: Grant, *, with_password: bool, clock: Clock = wall_clock) -> None:
        self._grant = grant
        self._user = grant.settings.get("user", "") if with_password else None
        self._scope = grant.settings.get("scope", SCOPES[0])
        self._url = (
            grant.urls["auth_url"] if self._user is None else f"{grant.base_url.rstrip('/')}/token"
        )
        self._basic = _basic(grant.secret or "", self._user)
        shelf = Shelf(grant.cache, grant.provider, self._basic, self._scope, self._url)
        super().__init__(shelf, clock)

    def request(self, now: float) -> httpx.Request:
        import uuid

        headers = {
            "User-Agent": f"llmctl/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Basic {self._basic}",
        }
        if not is_address(self._url):
            key = f"providers.{self._grant.provider}.auth_url"
            raise ConfigError(
                _("{key} is not an address", key=key),
                hint=_("set it: llmctl config set {key} https://…", key=key),
            )
        if self._user is not None:
            return httpx.Request("POST", self._url, headers=headers)
        headers["RqUID"] = str(uuid.uuid4())
        return httpx.Request("POST", self._url, headers=headers, data={"scope": self._scope})

    def granted(self, response: httpx.Response, now: float) -> Token:
        answer = failures.parsed(response.text)
        if not response.is_success:
            raise self._refusal(response, answer)
        value = text_at(answer, "access_token") or text_at(answer, "tok")
        if not value:
            raise self._placed(
                ProviderFailed(
                    _("what came back from the token server is not a token: {start}",
                      start=repr(failures.plain(response.text)[:60])),
                    reason="not-json" if answer is None else "no-answer",
                    retryable=False,
                    hint=_("is a sign-in page of this network in between, or is this not the"
                           " address? llmctl config get providers.{provider}.auth_url",
                           provider=self._grant.provider),
                )
            )  # fmt: skip
        ends = float_at(answer, "expires_at") or float_at(answer, "exp")
        return Token(value, now, life_of(ends, response.headers.get("date"), now, USUAL_LIFE_S))

    def _refusal(self, response: httpx.Response, answer: Json) -> LlmctlError:
        said = failures.message_in(answer) or failures.plain(response.text)
        said = said.replace(self._basic, "***")
        code = int_at(answer, "code")
        provider = self._grant.provider
        if code == OTHER_SCOPE:
            error: LlmctlError = AuthFailed(
                _("the key is not for the scope {scope}: {said}", scope=self._scope, said=said),
                reason="scope",
                hint=_(
                    "PERS is for individuals, B2B for companies with packages, CORP for those that"
                    " pay as they go; try: llmctl config set providers.{provider}.scope {other}",
                    provider=provider,
                    other=_(" or ").join(one for one in SCOPES if one != self._scope),
                ),
            )
        elif code in BAD_SCOPES and at(answer, "message"):
            error = ConfigError(
                _("the token server does not know the scope {scope}: {said}", scope=self._scope,
                  said=said),
                hint=_("set it: llmctl config set providers.{provider}.scope {other}",
                       provider=provider, other=SCOPES[0]),
            )  # fmt: skip
        else:
            error = failures.classify(
                response.status_code,
                {name.lower(): value for name, value in response.headers.items()},
                said=said,
                signs=(),
            )
            if isinstance(error, AuthFailed):
                error.hint = self._key_hint()
            error.retry_after_s = _seconds(response.headers.get("retry-after"))
        error.status = response.status_code
        return self._placed(error)

    def _key_hint(self) -> str:
        provider = self._grant.provider
        if self._user is not None:
            return _(
                "check the user and its password: llmctl config get providers.{provider}.user",
                provider=provider,
            )
        if not is_authorization_key(self._grant.secret or ""):
            return _(
                "this does not look like the authorization key, which is the long text the"
                " provider's page shows beside the client id, not the client secret:"
                " llmctl keys set {provider}",
                provider=provider,
            )
        return _("store the right key: llmctl keys set {provider}", provider=provider)

    def _placed(self, error: LlmctlError) -> LlmctlError:
        error.provider = self._grant.provider
        error.host = urlsplit(self._url).netloc.rpartition("@")[2]
        return error


def is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and bool(httpx.URL(url))
    except (ValueError, httpx.InvalidURL):
        return False


def _basic(secret: str, user: str | None) -> str:
    """The authorization key is base64 already; `id:secret` as it is typed is not."""
    if user is not None:
        return base64.b64encode(f"{user}:{secret}".encode()).decode()
    if ":" in secret:
        return base64.b64encode(secret.encode()).decode()
    return secret


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isascii() and value.isdigit() else None


AUTH = login
