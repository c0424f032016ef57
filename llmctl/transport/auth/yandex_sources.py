"""Where IAM tokens come from: each source says what is asked and reads what comes back."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from llmctl import __version__
from llmctl.dialects import failures
from llmctl.dialects.look import float_at, text_at
from llmctl.errors import (
    AuthFailed,
    ConfigError,
    LlmctlError,
    NotFound,
    ProviderFailed,
    Rejected,
)
from llmctl.messages import _
from llmctl.transport.auth import Grant
from llmctl.transport.auth.tokens import Token, life_of

HOUR_S = 3600.0
# Whom a service account's statement is for: the name of the service, wherever it is reached.
AUDIENCE = "https://iam.api.cloud.yandex.net/iam/v1/tokens"
METADATA_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
HEADERS = {
    "User-Agent": f"llmctl/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
COMMAND_SECONDS = 10.0
# A clock that is wrong by more than this makes a statement that is not valid yet, or any more.
SKEW_S = 60.0


class Source:
    """Asked by `request`, answered by `granted`; `identity` are the credentials and the address,
    which tell its tokens from those of others."""

    def __init__(self, grant: Grant, url: str, *identity: str) -> None:
        self.provider = grant.provider
        self.url = url
        self.identity = (url, *identity)

    def body(self, now: float) -> dict[str, str] | None:
        """What is sent at `now` (Unix time); None for a question without a body."""
        return None

    def request(self, now: float) -> httpx.Request:
        """The request for a token; raises ConfigError for an address that is none."""
        body = self.body(now)
        try:
            if body is None:
                headers = {**HEADERS, "Metadata-Flavor": "Google"}
                return httpx.Request("GET", self.url, headers=headers)
            return httpx.Request("POST", self.url, headers=HEADERS, json=body)
        except httpx.InvalidURL as error:
            raise ConfigError(
                _("{url} is not an address: {why}", url=self.url, why=error),
                hint=_("see the settings: llmctl config show"),
            ) from None

    def granted(self, response: httpx.Response, now: float) -> Token:
        """The token in an answer that has been read; raises LlmctlError for a refusal."""
        answer = failures.parsed(response.text)
        if not response.is_success:
            raise self._placed(self._refusal(response, now))
        value = text_at(answer, "iamToken") or text_at(answer, "access_token")
        if not value or not value.isascii() or not value.isprintable():
            raise self._placed(
                ProviderFailed(
                    _("what came back from the token server is not a token: {start}",
                      start=repr(failures.plain(response.text)[:60])),
                    reason="not-json" if answer is None else "no-answer",
                    retryable=False,
                )
            )  # fmt: skip
        life = float_at(answer, "expires_in")
        if life is None:
            ends, date = _moment(text_at(answer, "expiresAt")), response.headers.get("date")
            life = life_of(ends, date, now, HOUR_S)
        return Token(value, now, min(HOUR_S, life))

    def _refusal(self, response: httpx.Response, now: float) -> LlmctlError:
        said = failures.message_in(failures.parsed(response.text)) or failures.plain(response.text)
        headers = {name.lower(): value for name, value in response.headers.items()}
        error = failures.classify(response.status_code, headers, said=said, signs=())
        if isinstance(error, Rejected | NotFound):  # it is the key that is refused here
            error = AuthFailed(error.message, status=error.status, request_id=error.request_id)
        if isinstance(error, AuthFailed):
            error.hint = self.advice(response.headers.get("date"), now)
        return error

    def advice(self, date: str | None, now: float) -> str | None:
        """What to do about a refusal; `date` is the server's."""
        return _("store the right key: llmctl keys set {provider}", provider=self.provider)

    def _placed(self, error: LlmctlError) -> LlmctlError:
        error.provider = self.provider
        error.host = urlsplit(self.url).netloc.rpartition("@")[2]
        return error


class OAuthToken(Source):
    """The token of a person's account."""

    def __init__(self, grant: Grant, token: str) -> None:
        super().__init__(grant, grant.urls["iam_url"], token)
        self._token = token

    def body(self, now: float) -> dict[str, str]:
        return {"yandexPassportOauthToken": self._token}


class AuthorisedKey(Source):
    """A service account's key file: it signs statements that are good for a token each."""

    def __init__(self, grant: Grant, path: str) -> None:
        self._path = Path(path).expanduser()
        self._key = self._read(grant.provider)
        super().__init__(grant, grant.urls["iam_url"], self._key["id"], self._key["private_key"])

    def _read(self, provider: str) -> dict[str, str]:
        try:
            stored: Any = json.loads(self._path.read_bytes())
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ConfigError(
                _("the key file {path} cannot be read: {why}", path=self._path, why=why),
                hint=_("is this the file? llmctl config get providers.{provider}.sa_key_file",
                       provider=provider),
            ) from None  # fmt: skip
        except (ValueError, RecursionError):
            raise self._odd() from None
        fields = ("id", "service_account_id", "private_key")
        found = {name: text_at(stored, name) or "" for name in fields}
        if not all(found.values()):
            raise self._odd()
        return found

    def _odd(self) -> ConfigError:
        return ConfigError(
            _("{path} is not the key file of a service account", path=self._path),
            hint=_("make one: yc iam key create --service-account-name NAME --output FILE"),
        )

    def body(self, now: float) -> dict[str, str]:
        claims = {
            "iss": self._key["service_account_id"],
            "aud": AUDIENCE,
            "iat": int(now),
            "exp": int(now + HOUR_S),
        }
        header = {"typ": "JWT", "alg": "PS256", "kid": self._key["id"]}
        signed = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(claims).encode())}"
        return {"jwt": f"{signed}.{_part(self._signature(signed.encode('ascii')))}"}

    def _signature(self, data: bytes) -> bytes:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        # The provider writes a warning into the file, before the key itself.
        text = self._key["private_key"]
        pem = text[max(0, text.find("-----BEGIN")) :].encode()
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise self._odd() from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise self._odd()
        digest = hashes.SHA256()
        salted = padding.PSS(padding.MGF1(digest), salt_length=digest.digest_size)
        return key.sign(data, salted, digest)

    def advice(self, date: str | None, now: float) -> str | None:
        server = _moment_of_header(date)
        if server is not None and abs(server - now) > SKEW_S:
            return _(
                "this machine's clock is wrong by {minutes:.0f} min, which makes what the key signs"
                " invalid: set it right",
                minutes=abs(server - now) / 60,
            )
        return _("is the key in {path} still there? yc iam key list", path=self._path)


class Metadata(Source):
    """The account of the virtual machine that this runs on."""

    def __init__(self, grant: Grant) -> None:
        host = grant.settings.get("metadata_host")
        root = f"http://{host}" if host else grant.urls["metadata_url"].rstrip("/")
        super().__init__(grant, f"{root}{METADATA_PATH}")

    def advice(self, date: str | None, now: float) -> str | None:
        return _("has this machine a service account?")


class CommandLine(Source):
    """The account that the provider's own command line is signed in with."""

    def __init__(self, grant: Grant, command: str) -> None:
        profile = grant.settings.get("yc_profile")
        more = ("--profile", profile) if profile else ()
        self._argv = (command, "iam", "create-token", "--no-user-output", *more)
        super().__init__(grant, grant.urls["iam_url"], *self._argv)

    async def token(self, now: float) -> Token:
        """Ask the command; raises AuthFailed, which shows nothing of what it printed."""
        value, why = await asyncio.to_thread(self._run)
        if value:
            return Token(value, now, HOUR_S)
        raise AuthFailed(
            _("the command yc gave no token: {why}", why=why),
            hint=_("try it by hand: yc iam create-token"),
            provider=self.provider,
            reason="key-command",
        )

    def _run(self) -> tuple[str, str]:
        """What it printed, and why that is nothing."""
        try:
            done = subprocess.run(  # noqa: S603  found on the user's path; no shell reads it
                self._argv,
                stdout=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                timeout=COMMAND_SECONDS,
                check=True,
            )
            value = done.stdout.decode("ascii").strip()
            return (value, "") if value.isprintable() else ("", _("what it printed is no token"))
        except OSError as error:
            return "", error.strerror or type(error).__name__
        except subprocess.TimeoutExpired:
            return "", _("it took longer than {seconds:g} s", seconds=COMMAND_SECONDS)
        except subprocess.CalledProcessError as error:
            return "", _("it ended with exit code {code}", code=error.returncode)
        except UnicodeDecodeError:
            return "", _("what it printed is no token")


def _part(data: bytes) -> str:
    """A part of a JWT."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _moment(text: str | None) -> float | None:
    """RFC 3339 with nanoseconds as Unix time."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except ValueError:
        return None


def _moment_of_header(date: str | None) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except (ValueError, TypeError, OverflowError):
        return None
