"""A recording holds no key, or there is none."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

import httpx
import pytest

from llmctl.cards import Auth, Card, Endpoint, Setting
from llmctl.dialects import DIALECTS
from llmctl.engine.diagnose import Check, State
from llmctl.engine.proof import Answer, Tried
from llmctl.engine.recording import recording
from llmctl.engine.route import Route
from llmctl.errors import CheckFailed
from llmctl.keys import Secret
from llmctl.transport.record import Exchange, Recorder
from llmctl.transport.target import Target
from llmctl.types import Chat, Quirks, Role, message
from llmctl.values import replace

KEY = "key-" + sha256(b"key").hexdigest()
TOKEN = "tok-" + sha256(b"token").hexdigest()
FOLDER = "b1gfolderofsomebody1"
CARD = Card(
    card=1,
    id="a",
    name="A",
    kind="api",
    dialect="openai_chat",
    endpoint=Endpoint(base_url="https://api.example.com/v1"),
    auth=Auth(kind="key"),
    settings=(
        Setting(name="folder", help="the folder"),
        Setting(name="tier", help="the tier", choices=("business-tier", "free")),
    ),
)
ROUTE = Route(
    requested="a/m",
    provider="a",
    model="m",
    card=CARD,
    model_card=None,
    dialect=DIALECTS["openai_chat"](),
    quirks=Quirks(settings={"folder": FOLDER, "tier": "business-tier"}),
    target=Target(provider="a", base_url="https://api.example.com/v1"),
    verdict=cast(Any, None),
    secret=Secret(KEY, "test"),
)
CALL = Chat("m", (message(Role.USER, f"I am in {FOLDER}"),), max_tokens=16)
TRIED = Tried(Check("streamed", State.OK, "fine"), CALL, Answer("hi"))


def exchange(
    *pieces: bytes,
    body: Mapping[str, Any] | None = None,
    path: str = "/v1/chat",
    is_call: bool = True,
) -> Exchange:
    return Exchange(
        method="POST",
        path=path,
        header_names=("authorization",),
        body=json.dumps(body or {}).encode(),
        is_call=is_call,
        status=200,
        headers={"content-type": "text/event-stream"},
        pieces=list(pieces),
    )


def made(*exchanges: Exchange, tried: Tried = TRIED) -> Any:
    recorder = Recorder(cast(httpx.AsyncBaseTransport, None))
    recorder.exchanges = list(exchanges)
    recorder.credentials = {TOKEN}
    written = recording(ROUTE, recorder, [(tried, range(len(exchanges)))])
    text = written.decode()
    for secret in (KEY, TOKEN, FOLDER):
        assert secret not in text
    return json.loads(text)


def test_secrets_are_masked_wherever_they_stand() -> None:
    document = made(
        exchange(
            f'data: {{"error": "bad key {KEY}"}}\n\n'.encode(),
            f"data: you are {TOKEN}".encode(),
            body={"model": f"gpt://{FOLDER}/m", "key": KEY},
            path=f"/v1/{FOLDER}/chat",
        ),
        tried=Tried(Check("streamed", State.OK, f"not {KEY}"), CALL, Answer(f"hi {TOKEN}")),
    )

    (check,) = document["checks"]
    (one,) = check["exchanges"]
    assert one["request"]["path"] == "/v1/***/chat"
    assert one["request"]["body"] == {"model": "gpt://***/m", "key": "***"}
    assert one["response"]["pieces"] == ['data: {"error": "bad key ***"}\n\n', "data: you are ***"]
    assert (check["said"], check["answer"]["text"]) == ("not ***", "hi ***")
    assert check["call"]["messages"] == [["user", "I am in ***"]]
    # A choice that a card offers tells nothing about the account, a folder does.
    assert document["quirks"]["settings"] == {"folder": "***", "tier": "business-tier"}


def test_pieces_stay_as_they_came_even_inside_letters() -> None:
    (check,) = made(exchange(b"caf\xc3", b"\xa9"))["checks"]

    assert check["exchanges"][0]["response"]["pieces"] == [
        {"base64": "Y2Fmww=="},
        {"base64": "qQ=="},
    ]


def test_long_keys_are_masked_across_pieces() -> None:
    (check,) = made(exchange(f"data: {KEY[:22]}".encode(), KEY[22:].encode()))["checks"]

    assert check["exchanges"][0]["response"]["pieces"] == ["data: ***", "***"]


def test_of_an_exchange_for_a_token_no_body_is_kept() -> None:
    token = exchange(b'{"access_token": "something new"}', body={"jwt": "x"}, is_call=False)

    (one,) = made(token)["checks"][0]["exchanges"]

    assert one["kind"] == "token"
    assert "body" not in one["request"]
    assert "pieces" not in one["response"]


@pytest.mark.parametrize(
    "pieces",
    [
        # Masking piece by piece misses a short key that lies across two.
        (f"data: {FOLDER[:9]}".encode(), FOLDER[9:].encode()),
        # Keys of others, known by their looks only; made here, so that nobody takes them for real.
        (b"your key sk-" + b"Zx9" * 12,),
        (b"AIza" + b"Sy7" * 12,),
        (b"eyJ" + b"hbG" * 12 + b"." + b"abc" * 9 + b".x",),
        (b"-----BEGIN " + b"PRIVATE KEY-----",),
    ],
)
def test_where_a_key_would_stand_there_is_no_recording(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(CheckFailed) as failed:
        made(exchange(*pieces))

    assert failed.value.reason == "secret"
    assert FOLDER not in failed.value.message


def test_a_host_of_somebody_s_own_is_not_told() -> None:
    assert made(exchange(b""))["host"] == "api.example.com"
    elsewhere = Target(provider="a", base_url="https://llm.bank.internal/v1")
    recorder = Recorder(cast(httpx.AsyncBaseTransport, None))
    text = recording(replace(ROUTE, target=elsewhere), recorder, []).decode()
    assert json.loads(text)["host"] is None
    assert "bank" not in text
