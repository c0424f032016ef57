"""GigaChat's tokens, with the token server and the clock in the test's hands."""

import asyncio
import base64
import json
import os
import stat
import uuid
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmctl.dialects import HttpCall
from llmctl.errors import AuthFailed, ConfigError, LlmctlError, ProviderFailed, RateLimited
from llmctl.transport.auth import AUTHS, Grant
from llmctl.transport.auth.gigachat import Renewed, guessed, is_authorization_key
from llmctl.transport.exchange import Lane
from llmctl.transport.target import Target

NOW = 1_795_000_000.0
KEY = base64.b64encode(b"client:" + b"9" * 12).decode()
AUTH_URL = "https://tokens.example:9443/oauth"
API = "https://api.example/v1"

Answers = Callable[[httpx.Request], httpx.Response]


class World:
    """A token server and an API that takes the tokens in `good`; each may be made to answer
    otherwise."""

    def __init__(self) -> None:
        self.good: set[str] = set()
        self.token_requests: list[httpx.Request] = []
        self.calls: list[httpx.Request] = []
        self.life_s = 1800.0
        self.server_time = NOW
        self.grants: Iterator[httpx.Response] | None = None
        self.takes_any = True

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path in ("/oauth", "/v1/token"):
            self.token_requests.append(request)
            await asyncio.sleep(0.02)  # so that others come in between
            return next(self.grants) if self.grants else self.granted()
        self.calls.append(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token in self.good:
            return httpx.Response(200, json={})
        return httpx.Response(401, json={"status": 401, "message": "Token has expired"})

    def granted(self, **body: Any) -> httpx.Response:
        token = f"token-{len(self.token_requests)}"
        if self.takes_any:
            self.good.add(token)
        ends = int((self.server_time + self.life_s) * 1000)
        date = {"date": formatdate(self.server_time, usegmt=True)}
        return httpx.Response(
            200, json=body or {"access_token": token, "expires_at": ends}, headers=date
        )


@pytest.fixture
def world() -> World:
    return World()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def grant(cache: Path, secret: str | None = KEY, **settings: str) -> Grant:
    stated = {"scope": "GIGACHAT_API_PERS", **settings}
    return Grant(
        provider="gigachat",
        secret=secret,
        base_url=API,
        urls={"auth_url": AUTH_URL},
        settings=stated,
        cache=cache / "tokens",
    )


def lane(world: World, auth: httpx.Auth) -> Lane:
    target = Target(provider="gigachat", base_url=API, auth=auth)
    return Lane(target, httpx.MockTransport(world))


async def status(at: Lane) -> int:
    async with at.exchange(HttpCall("GET", "models")) as reply:
        return reply.status


def asked(world: World, *flows: httpx.Auth) -> list[int]:
    """The statuses of one call through each flow, all at the same time."""

    async def all_of_them() -> list[int]:
        return await asyncio.gather(*(status(lane(world, one)) for one in flows))

    return asyncio.run(all_of_them())


def flow(cache: Path, clock: Clock, **settings: str) -> Renewed:
    return Renewed(grant(cache, **settings), with_password=False, clock=clock)


def refused(world: World, auth: httpx.Auth) -> LlmctlError:
    with pytest.raises(LlmctlError) as caught:
        asked(world, auth)
    assert KEY not in str(caught.value)
    return caught.value


# ---- what is asked for


def test_the_request_for_a_token(world: World, clock: Clock, tmp_path: Path) -> None:
    assert asked(world, flow(tmp_path, clock)) == [200]

    [request] = world.token_requests
    assert (request.method, str(request.url)) == ("POST", AUTH_URL)
    assert request.headers["authorization"] == f"Basic {KEY}"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["user-agent"].startswith("llmctl/")
    assert request.content == b"scope=GIGACHAT_API_PERS"
    assert uuid.UUID(request.headers["rquid"]).version == 4
    assert world.calls[0].headers["authorization"] == "Bearer token-1"


def test_a_user_and_a_password(world: World, tmp_path: Path) -> None:
    word = "".join(reversed("drowssap"))
    made = AUTHS["gigachat"](grant(tmp_path, word, user="reader"))

    assert asked(world, made) == [200]
    [request] = world.token_requests
    assert str(request.url) == f"{API}/token"
    assert request.content == b""
    pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic "))
    assert pair.decode() == f"reader:{word}"


def test_the_shorter_names_of_some_installations(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    world.good.add("short")
    world.grants = iter([world.granted(tok="short", exp=int(NOW) + 1800)])

    assert asked(world, flow(tmp_path, clock)) == [200]
    assert world.calls[0].headers["authorization"] == "Bearer short"


def test_an_access_token_from_elsewhere_is_sent_and_never_renewed(
    world: World, tmp_path: Path
) -> None:
    token = "eyJ" + "A1b2." * 4
    made = AUTHS["gigachat"](grant(tmp_path, token))

    assert asked(world, made) == [401]
    assert world.token_requests == []
    assert [one.headers["authorization"] for one in world.calls] == [f"Bearer {token}"]


def test_without_a_key_nothing_is_added(world: World, tmp_path: Path) -> None:
    assert asked(world, AUTHS["gigachat"](grant(tmp_path, None))) == [401]
    assert "authorization" not in world.calls[0].headers
    assert world.token_requests == []


@pytest.mark.parametrize(
    ("secret", "user", "kind"),
    [
        (KEY, None, "key"),
        (KEY, "reader", "key"),
        ("eyJhbGciOi.J9.x", None, "token"),
        ("eyJhbGciOi.J9.x", "reader", "token"),
        ("open-sesame", "reader", "password"),
        ("open-sesame", None, "key"),
        ("client:typed-as-it-is", None, "key"),
    ],
)
def test_what_a_key_is_by_its_shape(secret: str, user: str | None, kind: str) -> None:
    assert guessed(secret, user) == kind


def test_the_setting_says_what_the_shape_does_not(world: World, tmp_path: Path) -> None:
    world.good.add("opaque")

    assert asked(world, AUTHS["gigachat"](grant(tmp_path, "opaque", login="token"))) == [200]
    assert world.token_requests == []


def test_a_key_that_is_typed_as_it_is_shown_is_encoded(world: World, tmp_path: Path) -> None:
    made = AUTHS["gigachat"](grant(tmp_path, "client:" + "9" * 12))

    assert asked(world, made) == [200]
    assert world.token_requests[0].headers["authorization"] == f"Basic {KEY}"
    assert is_authorization_key(KEY)


# ---- one token for all


def test_many_flows_at_once_ask_for_one_token(world: World, clock: Clock, tmp_path: Path) -> None:
    flows = [flow(tmp_path, clock) for _ in range(20)]

    assert asked(world, *flows) == [200] * 20
    assert len(world.token_requests) == 1


def test_the_next_process_finds_it(world: World, clock: Clock, tmp_path: Path) -> None:
    asked(world, flow(tmp_path, clock))
    clock.now += 1700

    assert asked(world, flow(tmp_path, clock)) == [200]
    assert len(world.token_requests) == 1


def test_other_credentials_scopes_and_addresses_have_tokens_of_their_own(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    asked(world, flow(tmp_path, clock))
    asked(world, flow(tmp_path, clock, scope="GIGACHAT_API_CORP"))

    assert len(world.token_requests) == 2
    assert len(list((tmp_path / "tokens").glob("*.json"))) == 2


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps others out otherwise")
def test_the_file_is_ours_alone_and_names_no_key(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    asked(world, flow(tmp_path, clock))

    [kept] = (tmp_path / "tokens").glob("*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert KEY not in kept.read_text() + kept.name


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps others out otherwise")
def test_a_file_that_others_may_have_written_is_not_believed(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    asked(world, flow(tmp_path, clock))
    [kept] = (tmp_path / "tokens").glob("*.json")
    kept.chmod(0o666)

    asked(world, flow(tmp_path, clock))
    assert len(world.token_requests) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"token": 1}', '{"token":"x","fetched":"y"}'])
def test_a_damaged_file_is_an_empty_one(
    world: World, clock: Clock, tmp_path: Path, text: str
) -> None:
    asked(world, flow(tmp_path, clock))
    [kept] = (tmp_path / "tokens").glob("*.json")
    kept.write_text(text)

    assert asked(world, flow(tmp_path, clock)) == [200]
    assert len(world.token_requests) == 2


def test_a_folder_that_cannot_be_used_costs_no_answer(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "tokens").write_text("a file")

    assert asked(world, flow(tmp_path, clock)) == [200]


# ---- the end of a token


@pytest.mark.parametrize(("later", "requests"), [(1739, 1), (1741, 2), (5000, 2)])
def test_it_is_renewed_a_minute_before_its_end(
    world: World, clock: Clock, tmp_path: Path, later: int, requests: int
) -> None:
    asked(world, flow(tmp_path, clock))
    clock.now += later

    assert asked(world, flow(tmp_path, clock)) == [200]
    assert len(world.token_requests) == requests


def test_an_end_in_seconds(world: World, clock: Clock, tmp_path: Path) -> None:
    world.good.add("a")
    world.grants = iter([world.granted(access_token="a", expires_at=int(NOW) + 600)])
    asked(world, flow(tmp_path, clock))

    [kept] = (tmp_path / "tokens").glob("*.json")
    assert json.loads(kept.read_text())["life"] == 600


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_a_wrong_clock_of_this_machine_does_not_matter(
    world: World, clock: Clock, tmp_path: Path, skew: int
) -> None:
    clock.now += skew
    asked(world, flow(tmp_path, clock))
    clock.now += 1700
    asked(world, flow(tmp_path, clock))
    assert len(world.token_requests) == 1

    clock.now += 100
    asked(world, flow(tmp_path, clock))
    assert len(world.token_requests) == 2


def test_an_end_in_the_past_is_a_wrong_clock_too(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    world.life_s = -3600

    assert asked(world, flow(tmp_path, clock)) == [200]
    assert asked(world, flow(tmp_path, clock)) == [200]
    assert len(world.token_requests) == 1


def test_a_token_that_is_refused_is_renewed_once_for_all(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    asked(world, flow(tmp_path, clock))
    world.good.clear()

    assert asked(world, *(flow(tmp_path, clock) for _ in range(10))) == [200] * 10
    assert len(world.token_requests) == 2
    assert len(world.calls) == 1 + 10 + 10  # each is refused once, then let in


def test_a_second_refusal_is_the_answer(world: World, clock: Clock, tmp_path: Path) -> None:
    world.takes_any = False

    assert asked(world, flow(tmp_path, clock)) == [401]
    assert (len(world.token_requests), len(world.calls)) == (2, 2)


# ---- what the token server says instead


def said(world: World, status: int, **body: Any) -> None:
    world.grants = iter([httpx.Response(status, json=body)])


def test_a_key_for_another_scope_names_the_others(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    said(world, 400, code=7, message="scope from db not fully includes consumed scope")
    error = refused(world, flow(tmp_path, clock))

    assert isinstance(error, AuthFailed)
    assert (error.reason, error.status) == ("scope", 400)
    assert error.host == "tokens.example:9443"
    assert "GIGACHAT_API_B2B" in (error.hint or "")
    assert "GIGACHAT_API_CORP" in (error.hint or "")
    assert "GIGACHAT_API_PERS" not in (error.hint or "")


def test_an_unknown_key(world: World, clock: Clock, tmp_path: Path) -> None:
    said(world, 401, code=6, message="credentials doesn't match db data")
    error = refused(world, flow(tmp_path, clock))

    assert isinstance(error, AuthFailed)
    assert "credentials doesn't match db data" in error.message
    assert "llmctl keys set gigachat" in (error.hint or "")


def test_a_secret_in_place_of_the_key_is_recognised(world: World, tmp_path: Path) -> None:
    secret = str(uuid.UUID(int=7, version=4))
    said(world, 401, code=6, message="credentials doesn't match db data")
    error = refused(world, AUTHS["gigachat"](grant(tmp_path, secret)))

    assert "client secret" in (error.hint or "")
    assert secret not in error.message


def test_a_scope_that_does_not_exist_is_a_setting(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    said(world, 400, code=1, message="scope data format invalid")

    assert isinstance(refused(world, flow(tmp_path, clock)), ConfigError)


def test_too_many_tokens(world: World, clock: Clock, tmp_path: Path) -> None:
    limited = httpx.Response(429, json={"message": "slow down"}, headers={"retry-after": "3"})
    world.grants = iter([limited])
    error = refused(world, flow(tmp_path, clock))

    assert isinstance(error, RateLimited)
    assert (error.retryable, error.retry_after_s) == (True, 3.0)


def test_a_sign_in_page_is_no_token(world: World, clock: Clock, tmp_path: Path) -> None:
    world.grants = iter([httpx.Response(200, html="<title>Free Wi-Fi</title>")])
    error = refused(world, flow(tmp_path, clock))

    assert isinstance(error, ProviderFailed)
    assert "Free Wi-Fi" in error.message
    assert "auth_url" in (error.hint or "")


def test_a_broken_token_server_may_be_asked_again(
    world: World, clock: Clock, tmp_path: Path
) -> None:
    world.grants = iter([httpx.Response(502, html="<title>Bad Gateway</title>")])
    error = refused(world, flow(tmp_path, clock))

    assert isinstance(error, ProviderFailed)
    assert error.retryable
    assert (tmp_path / "tokens").exists()
    assert not list((tmp_path / "tokens").glob("*.json"))


def test_an_address_that_is_none(world: World, tmp_path: Path) -> None:
    made = Grant(
        provider="gigachat",
        secret=KEY,
        base_url=API,
        urls={"auth_url": "https://[nonsense"},
        cache=tmp_path / "tokens",
    )

    assert isinstance(refused(world, AUTHS["gigachat"](made)), ConfigError)
