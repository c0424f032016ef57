"""Which credentials become what, what is asked for a token, and when it is asked again."""

import asyncio
import base64
import json
import stat
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from llmctl.dialects import HttpCall
from llmctl.errors import AuthFailed, ConfigError, LlmctlError, ProviderFailed
from llmctl.transport.auth import AUTHS, Grant
from llmctl.transport.auth.yandex import Renewed, login
from llmctl.transport.auth.yandex_sources import OAuthToken
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target

NOW = 1_795_000_000.0
CALL = HttpCall("POST", "completion", {"prompt": "Почему?"})
OAUTH = "y0_" + "b" * 40
IAM_URL = "https://iam.example.test/iam/v1/tokens"

Answering = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(scope="module")
def private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def stored(key: Any, folder: Path, warning: str = "") -> str:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file = folder / "key.json"
    content = {"id": "ajekey", "service_account_id": "ajesa", "private_key": warning + pem}
    file.write_text(json.dumps(content))
    return str(file)


def grant(cache: Path, secret: str | None = None, **settings: str) -> Grant:
    return Grant(
        provider="yandexgpt",
        secret=secret,
        base_url="https://ai.example.test",
        cache=cache / "tokens",
        urls={"iam_url": IAM_URL, "metadata_url": "http://169.254.169.254"},
        settings=settings,
    )


class World:
    """Everybody who is asked, and what was said. Tokens are t1, t2, …; `taken` are those that the
    models' host takes, all of them while it is None."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str | None]] = []
        self.bodies: list[Any] = []
        self.taken: set[str] | None = None
        self.granted = 0
        self.refusal: httpx.Response | None = None
        self.fields: dict[str, Any] = {"expiresAt": "2099-01-01T00:00:00.123456789Z"}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        given = request.headers.get("authorization")
        self.said.append((request.url.host, given))
        if request.url.host == "ai.example.test":
            fine = self.taken is None or (given or "").removeprefix("Bearer ") in self.taken
            return httpx.Response(200 if fine else 401, text="{}")
        self.bodies.append(json.loads(request.content) if request.content else None)
        if self.refusal is not None:
            return self.refusal
        self.granted += 1
        name = "access_token" if "expires_in" in self.fields else "iamToken"
        return httpx.Response(200, json={name: f"t{self.granted}", **self.fields})


def ask(world: World, *auths: httpx.Auth, times: int = 1) -> list[int]:
    """The statuses of `times` calls through each of the flows, all at once."""

    async def one(auth: httpx.Auth) -> list[int]:
        target = Target(provider="yandexgpt", base_url="https://ai.example.test", auth=auth)
        async with Lane(target, httpx.MockTransport(world)) as lane:
            found = []
            for _turn in range(times):
                async with lane.exchange(CALL) as reply:
                    found.append(reply.status)
        return found

    async def every() -> list[int]:
        return [status for found in await asyncio.gather(*map(one, auths)) for status in found]

    return asyncio.run(every())


# ---- what a key is


@pytest.mark.parametrize(
    ("secret", "sent"),
    [
        ("AQVN" + "x" * 30, "Api-Key AQVN" + "x" * 30),
        ("t1.9e" + "x" * 30, "Bearer t1.9e" + "x" * 30),
        ("anything", "Api-Key anything"),
    ],
)
def test_keys_that_are_sent_as_they_stand(tmp_path: Path, secret: str, sent: str) -> None:
    world = World()

    assert ask(world, AUTHS["yandex"](grant(tmp_path, secret))) == [200]
    assert world.said == [("ai.example.test", sent)]
    assert not (tmp_path / "tokens").exists()


def test_a_fixed_key_that_is_refused_is_not_tried_again(tmp_path: Path) -> None:
    world = World()
    world.taken = set()

    assert ask(world, login(grant(tmp_path, "AQVNx"))) == [401]
    assert len(world.said) == 1


def test_a_persons_token_is_exchanged(tmp_path: Path) -> None:
    world = World()

    assert ask(world, login(grant(tmp_path, OAUTH))) == [200]
    assert world.said == [("iam.example.test", None), ("ai.example.test", "Bearer t1")]
    assert world.bodies == [{"yandexPassportOauthToken": OAUTH}]


def test_nothing_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(AuthFailed) as caught:
        login(grant(tmp_path))
    assert caught.value.reason == "no-key"
    with pytest.raises(AuthFailed):
        login(grant(tmp_path, login="yc"))


# ---- service accounts


def decoded(part: str) -> Any:
    return json.loads(unpadded(part))


def unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.mark.parametrize("warning", ["", "PLEASE DO NOT REMOVE THIS LINE! Key ID <ajekey>\n"])
def test_a_service_account_signs(tmp_path: Path, private: rsa.RSAPrivateKey, warning: str) -> None:
    world = World()
    auth = login(grant(tmp_path, sa_key_file=stored(private, tmp_path, warning)))
    assert isinstance(auth, Renewed)
    auth._clock = lambda: NOW + 0.7

    assert ask(world, auth) == [200]
    (body,) = world.bodies
    head, claims, signature = body["jwt"].split(".")
    assert decoded(head) == {"typ": "JWT", "alg": "PS256", "kid": "ajekey"}
    assert decoded(claims) == {
        "iss": "ajesa",
        "aud": "https://iam.api.cloud.yandex.net/iam/v1/tokens",
        "iat": int(NOW),
        "exp": int(NOW) + 3600,
    }
    # RFC 7518, 3.5: the salt is as long as the digest.
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    private.public_key().verify(
        unpadded(signature), f"{head}.{claims}".encode(), salted, hashes.SHA256()
    )


def test_a_key_beats_a_key_file(tmp_path: Path, private: rsa.RSAPrivateKey) -> None:
    world = World()
    ask(world, login(grant(tmp_path, "AQVNx", sa_key_file=stored(private, tmp_path))))

    assert world.said == [("ai.example.test", "Api-Key AQVNx")]


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"id": "a", "service_account_id": "b"}', '{"id": 1}', "[" * 100_000],
)
def test_a_file_that_is_no_key(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key.json"
    file.write_text(content)

    with pytest.raises(ConfigError, match=r"key\.json"):
        login(grant(tmp_path, sa_key_file=str(file)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json"):
        login(grant(tmp_path, sa_key_file=str(tmp_path / "none.json")))


def test_a_key_of_another_kind(tmp_path: Path) -> None:
    file = stored(ec.generate_private_key(ec.SECP256R1()), tmp_path)

    with pytest.raises(ConfigError):
        ask(World(), login(grant(tmp_path, sa_key_file=file)))
    torn = tmp_path / "torn.json"
    torn.write_text('{"id": "a", "service_account_id": "b", "private_key": "xyz"}')
    with pytest.raises(ConfigError):
        ask(World(), login(grant(tmp_path, sa_key_file=str(torn))))


# ---- the machine's own account, and the command line's


def test_the_account_of_the_machine(tmp_path: Path) -> None:
    world = World()
    world.fields = {"expires_in": 40_000, "token_type": "Bearer"}
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return world(request)

    async def main() -> None:
        auth = login(grant(tmp_path, "AQVNx", login="metadata"))
        target = Target(provider="yandexgpt", base_url="https://ai.example.test", auth=auth)
        async with Lane(target, httpx.MockTransport(answer)) as lane, lane.exchange(CALL):
            pass

    asyncio.run(main())
    path = "computeMetadata/v1/instance/service-accounts/default/token"
    assert str(asked[0].url) == f"http://169.254.169.254/{path}"
    assert asked[0].headers["metadata-flavor"] == "Google"
    assert world.said[1] == ("ai.example.test", "Bearer t1")


def test_another_host_of_metadata_is_asked_without_being_told_to(tmp_path: Path) -> None:
    world = World()
    ask(world, login(grant(tmp_path, metadata_host="meta.example.test:8080")))

    assert world.said[0][0] == "meta.example.test"


def command(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    file = folder / "yc"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_the_account_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command(tmp_path, monkeypatch, f'echo "$@" >> {tmp_path}/argv; echo t1.from-yc')
    world = World()

    assert ask(world, login(grant(tmp_path, yc_profile="work")), times=2) == [200, 200]
    assert world.said == [("ai.example.test", "Bearer t1.from-yc")] * 2
    argv = (tmp_path / "argv").read_text()
    assert argv == "iam create-token --no-user-output --profile work\n"


@pytest.mark.parametrize("script", ["exit 1", "true", "echo one; echo two", r"printf '\377'"])
def test_a_command_that_gives_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    command(tmp_path, monkeypatch, script)

    with pytest.raises(AuthFailed) as caught:
        ask(World(), login(grant(tmp_path)))
    assert caught.value.reason == "key-command"


# ---- keeping and renewing


def test_one_token_for_all_who_ask_at_once(tmp_path: Path) -> None:
    world = World()
    same = login(grant(tmp_path, OAUTH))
    others = [login(grant(tmp_path, OAUTH)) for _n in range(3)]

    assert ask(world, same, same, *others) == [200] * 5
    assert world.granted == 1


def test_another_account_has_another_token(tmp_path: Path) -> None:
    world = World()

    ask(world, login(grant(tmp_path, OAUTH)))
    ask(world, login(grant(tmp_path, OAUTH + "c")))
    assert world.said[-1] == ("ai.example.test", "Bearer t2")


@pytest.mark.parametrize(
    ("fields", "age", "granted"),
    [
        ({"expiresAt": "2099-01-01T00:00:00Z"}, 3500, 1),
        ({"expiresAt": "2099-01-01T00:00:00Z"}, 3600, 2),  # it lives longer, but is renewed hourly
        ({"expires_in": 600}, 500, 1),
        ({"expires_in": 600}, 600, 2),
        ({}, 3500, 1),
        ({"expiresAt": "soon"}, 3600, 2),
    ],
)
def test_when_a_token_is_fetched_again(
    tmp_path: Path, fields: dict[str, Any], age: int, granted: int
) -> None:
    world = World()
    world.fields = fields
    moment = [NOW]
    source = OAuthToken(grant(tmp_path, OAUTH), OAUTH)
    auth = Renewed(grant(tmp_path, OAUTH), source, clock=lambda: moment[0])

    ask(world, auth)
    moment[0] += age
    ask(world, auth)

    assert world.granted == granted


def test_a_token_that_is_refused_is_renewed_once(tmp_path: Path) -> None:
    world = World()
    world.taken = {"t2"}

    assert ask(world, login(grant(tmp_path, OAUTH))) == [200]
    assert [given for _host, given in world.said] == [None, "Bearer t1", None, "Bearer t2"]
    world.taken = set()
    assert ask(world, login(grant(tmp_path, OAUTH))) == [401]
    assert [given for _host, given in world.said[4:]] == ["Bearer t2", None, "Bearer t3"]


def test_a_place_where_nothing_can_be_kept_costs_no_answer(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("a file where a folder should be")
    world = World()

    assert ask(world, login(grant(tmp_path, OAUTH)), times=2) == [200, 200]
    assert world.granted == 1


# ---- refusals


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, AuthFailed), (401, AuthFailed), (404, AuthFailed), (503, ProviderFailed)],
)
def test_refusals_name_the_host_that_refuses(
    tmp_path: Path, status: int, kind: type[LlmctlError]
) -> None:
    world = World()
    said = {"code": 16, "message": "The token is invalid", "details": []}
    world.refusal = httpx.Response(status, json=said)

    with pytest.raises(kind, match="The token is invalid") as caught:
        ask(world, login(grant(tmp_path, OAUTH)))
    assert caught.value.host == "iam.example.test"
    assert caught.value.retryable is (status == 503)
    assert len(world.said) == 1


@pytest.mark.parametrize("text", ["<html><title>Wi-Fi</title></html>", "{}", '{"iamToken": "ж"}'])
def test_what_is_no_token(tmp_path: Path, text: str) -> None:
    world = World()
    world.refusal = httpx.Response(200, text=text)

    with pytest.raises(ProviderFailed) as caught:
        ask(world, login(grant(tmp_path, OAUTH)))
    assert not caught.value.retryable


def test_a_clock_that_is_wrong_is_said(tmp_path: Path, private: rsa.RSAPrivateKey) -> None:
    world = World()
    date = formatdate(NOW + 600, usegmt=True)
    world.refusal = httpx.Response(401, json={"message": "jwt"}, headers={"date": date})
    auth = login(grant(tmp_path, sa_key_file=stored(private, tmp_path)))
    assert isinstance(auth, Renewed)
    auth._clock = lambda: NOW

    with pytest.raises(AuthFailed) as caught:
        ask(world, auth)
    assert caught.value.hint is not None
    assert "10 min" in caught.value.hint
