"""GigaChat from the command line: one token for all, one request at a time, codes of errors."""

import base64
import json
import os
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from tests.e2e.harness import GIGACHAT_KEY, Llmctl, Running
from tests.simulator import Simulator
from tests.simulator.answers import PIECES, TEXT
from tests.simulator.wire import Request
from tests.unit.transport.authorities import NAME, authority, der, pem, sha256

ASK = ("-m", "gigachat/mock", "Столица Австралии?")
OAUTH = "/gigachat/oauth"
V1 = "/gigachat/v1/chat/completions"
SETTINGS = "LLMCTL_PROVIDERS__GIGACHAT__"


def tokens(sim: Simulator) -> list[Request]:
    return [one for one in sim.requests if one.path == OAUTH]


def chats(sim: Simulator) -> list[Request]:
    return [one for one in sim.requests if one.path == V1]


# ---- answers


@pytest.mark.parametrize("how", [(), ("--no-stream",)])
def test_an_answer(llmctl: Llmctl, sim: Simulator, how: tuple[str, ...]) -> None:
    result = llmctl.run(*ASK, "--json", *how)

    assert (result.code, result.err) == (0, "")
    told = result.json
    assert told["text"] == TEXT
    assert told["finish_reason"] == "stop"
    assert told["model"]["resolved"] == "mock:2.0.28.2"
    assert told["request_id"] == "req-sim-1"
    assert told["usage"]["output_tokens"] == len(PIECES)
    size = max(1, len(sim.calls[0].body) // 8)  # the simulator counts so, a quarter of it cached
    assert told["usage"]["input_tokens"] == size
    assert told["usage"]["cached_tokens"] == size // 4
    assert GIGACHAT_KEY not in result.out


def test_the_second_version(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run(*ASK, "--json", env={f"{SETTINGS}API": "v2"})

    assert result.code == 0
    assert result.json["text"] == TEXT
    [call] = sim.calls
    assert call.path == "/gigachat/v2/chat/completions"
    assert call.json["messages"] == [{"role": "user", "content": [{"text": ASK[-1]}]}]
    size = max(1, len(call.body) // 8)
    assert result.json["usage"]["input_tokens"] == size


def test_instructions_and_a_conversation(llmctl: Llmctl, sim: Simulator) -> None:
    llmctl.run("-s", "Кратко.", *ASK)
    llmctl.run("-c", "-m", "gigachat/mock", "А Новой Зеландии?")

    roles = [[one["role"] for one in call.json["messages"]] for call in sim.calls]
    assert roles[0] == ["system", "user"]
    assert roles[1] == ["system", "user", "assistant", "user"]
    assert sim.calls[1].json["messages"][2]["content"] == TEXT


def test_a_schema(llmctl: Llmctl, sim: Simulator) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    result = llmctl.run(*ASK, "--schema", json.dumps(schema))

    assert (result.code, json.loads(result.out)) == (0, {"city": "pear"})
    wanted = sim.calls[0].json["response_format"]
    assert wanted == {"type": "json_schema", "schema": schema, "strict": True}


def test_options_and_knobs(llmctl: Llmctl, sim: Simulator) -> None:
    flags = ("-o", "repetition_penalty=1.1", "--temperature", "0", "--max-tokens", "40")
    result = llmctl.run(*ASK, *flags, "--seed", "7")

    assert result.code == 0
    assert "seed" in result.err
    body = sim.calls[0].json
    assert 0 < body["temperature"] < 0.001  # 0 is not allowed
    assert (body["repetition_penalty"], body["max_tokens"]) == (1.1, 40)
    assert "seed" not in body


# ---- errors


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("context", 16),
        ("unprocessable", 16),
        ("too-large", 16),
        ("no-model", 7),
        ("forbidden", 6),
        ("payment", 8),
        ("500-final", 10),
        ("filtered", 13),
        ("filtered-first", 13),
        ("refusal", 13),
        ("cut", 11),
        ("error-in-stream", 10),
        ("error-first", 10),
        ("error-in-200", 10),
        ("html", 10),
        ("rate-seconds", 0),
        ("500-once", 0),
        ("length", 12),
    ],
)
@pytest.mark.usefixtures("warm")
def test_each_fault_has_its_code(llmctl: Llmctl, sim: Simulator, fault: str, code: int) -> None:
    retries = {"LLMCTL_NETWORK__RETRIES": "1"}
    result = llmctl.run("-m", f"gigachat/mock-fault-{fault}", "hi", env=retries)

    assert result.code == code, result.err
    assert GIGACHAT_KEY not in result.out + result.err


def test_tokens_of_a_model_that_are_used_up(llmctl: Llmctl) -> None:
    result = llmctl.run("-m", "gigachat/mock-fault-payment", "hi")

    assert "another of its models" in result.err


def test_a_wrong_key(llmctl: Llmctl, sim: Simulator) -> None:
    sim.key = "another"
    result = llmctl.run(*ASK)

    assert result.code == 6
    assert "credentials doesn't match db data" in result.err
    assert "llmctl keys set gigachat" in result.err
    assert chats(sim) == []


def test_a_key_for_another_scope(llmctl: Llmctl, sim: Simulator) -> None:
    key = base64.b64encode(b"GIGACHAT_API_CORP:" + b"7" * 12).decode()
    env = {"GIGACHAT_CREDENTIALS": key}
    result = llmctl.run(*ASK, env=env)
    assert result.code == 6
    assert "providers.gigachat.scope GIGACHAT_API_B2B or GIGACHAT_API_CORP" in result.err

    assert llmctl.run(*ASK, env={**env, "GIGACHAT_SCOPE": "GIGACHAT_API_CORP"}).code == 0
    assert b"GIGACHAT_API_CORP" in tokens(sim)[-1].body


def test_a_scope_that_there_is_not(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run(*ASK, env={"GIGACHAT_SCOPE": "PERS"})

    assert (result.code, sim.requests) == (3, [])
    assert "GIGACHAT_API_PERS" in result.err


def test_without_a_key(llmctl: Llmctl, sim: Simulator) -> None:
    home = {f"{SETTINGS}BASE_URL": None, f"{SETTINGS}AUTH_URL": None, "GIGACHAT_CREDENTIALS": None}
    result = llmctl.run(*ASK, env=home)

    assert (result.code, sim.requests) == (6, [])
    assert "GIGACHAT_CREDENTIALS" in result.err


def test_a_user_and_a_password(llmctl: Llmctl, sim: Simulator) -> None:
    word = "".join(reversed("drowssap"))
    env = {"GIGACHAT_CREDENTIALS": None, "GIGACHAT_USER": "reader", "GIGACHAT_PASSWORD": word}

    assert llmctl.run(*ASK, env=env).code == 0
    assert [one.path for one in sim.requests] == ["/gigachat/v1/token", V1]
    wrong = llmctl.run(*ASK, env={**env, "GIGACHAT_USER": "nobody"})
    assert wrong.code == 6
    assert "providers.gigachat.user" in wrong.err


# ---- tokens


def test_twenty_commands_at_once_ask_for_one_token(llmctl: Llmctl, sim: Simulator) -> None:
    """And, the key being one for individuals, for one answer at a time."""
    runs: list[Running] = []
    try:
        runs += [llmctl.start(*ASK) for _ in range(20)]
        results = [one.end() for one in runs]
    finally:
        for one in runs:
            one.__exit__()

    assert [one.code for one in results] == [0] * 20, [one.err for one in results]
    assert {one.out for one in results} == {TEXT + "\n"}
    assert len(tokens(sim)) == 1
    spans = sorted((one.at, one.answered_at or 0.0) for one in chats(sim))
    assert len(spans) == 20
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_the_token_is_kept_where_only_we_can_read_it(llmctl: Llmctl) -> None:
    llmctl.run(*ASK)

    [kept] = (llmctl.cache / "tokens").glob("*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(("fault", "code", "asked"), [("token-dies", 0, 2), ("tokens-die", 6, 2)])
def test_a_token_that_dies_is_renewed_once(
    llmctl: Llmctl, sim: Simulator, fault: str, code: int, asked: int
) -> None:
    result = llmctl.run("-m", f"gigachat/mock-fault-{fault}", "hi")

    assert result.code == code
    assert (len(tokens(sim)), len(chats(sim))) == (2, asked)


# ---- one at a time


def test_waiting_for_ones_turn_is_said(llmctl: Llmctl, sim: Simulator) -> None:
    with llmctl.start("-m", "gigachat/mock-fault-silence", "hi") as first:
        first.read_until(PIECES[0].encode())
        second = llmctl.start(*ASK)
        with second:
            second.error_until(b"one request at a time")
            assert len(chats(sim)) == 1
            first.process.kill()  # the system gives its turn back
            result = second.end()

    assert (result.code, result.out) == (0, TEXT + "\n")


def test_waiting_ends_with_the_time_for_the_call(llmctl: Llmctl, sim: Simulator) -> None:
    with llmctl.start("-m", "gigachat/mock-fault-silence", "hi") as first:
        first.read_until(PIECES[0].encode())
        begun = time.monotonic()
        result = llmctl.run(*ASK, "--timeout", "1")

    assert result.code == 9
    assert time.monotonic() - begun < 5
    assert len(chats(sim)) == 1


@pytest.mark.parametrize(
    "env", [{"GIGACHAT_SCOPE": "GIGACHAT_API_CORP"}, {f"{SETTINGS}CONCURRENCY": "2"}]
)
def test_who_may_ask_more_at_a_time_does(
    llmctl: Llmctl, sim: Simulator, env: dict[str, str]
) -> None:
    with llmctl.start("-m", "gigachat/mock-fault-silence", "hi", env=env) as first:
        first.read_until(PIECES[0].encode())

        assert llmctl.run(*ASK, "--timeout", "20", env=env).code == 0


# ---- certificates


@contextmanager
def through_tls(sim: Simulator, ca: trustme.CA) -> Iterator[int]:
    """A port that passes TLS on to the simulator, with a certificate of `ca`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, context, sim.port), daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _accept(server: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            plain, _address = server.accept()
        except OSError:
            return
        threading.Thread(target=_pass_on, args=(plain, context, port), daemon=True).start()


def _pass_on(plain: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """One request and its answer, which ends with the connection."""
    try:
        with (
            context.wrap_socket(plain, server_side=True) as near,
            socket.create_connection(("127.0.0.1", port)) as far,
        ):
            threading.Thread(target=_copy, args=(near, far), daemon=True).start()
            _copy(far, near)
    except OSError:
        plain.close()


def _copy(source: socket.socket, goal: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            goal.sendall(data)
        goal.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_an_authority_nobody_knows_is_found_and_trusted(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    ca = trustme.CA()
    file = tmp_path / "downloaded.cer"
    file.write_bytes(ssl.PEM_cert_to_DER_cert(ca.cert_pem.bytes().decode()))
    with through_tls(sim, ca) as port:
        root = f"https://127.0.0.1:{port}/gigachat"
        env = {f"{SETTINGS}BASE_URL": f"{root}/v1", f"{SETTINGS}AUTH_URL": f"{root}/oauth"}
        before = llmctl.run(*ASK, env=env)
        fixed = llmctl.run("doctor", "gigachat", "--fix", "--yes", "--ca", str(file))
        after = llmctl.run(*ASK, env=env)
        other = {"LLMCTL_PROVIDERS__OPENAI__BASE_URL": f"https://127.0.0.1:{port}/v1"}
        others = llmctl.run("-m", "openai/mock", "hi", env=other)

    assert before.code == 9
    assert "llmctl doctor gigachat --fix" in before.err
    assert fixed.code == 0, fixed.err
    assert str(llmctl.config / "certificates" / "gigachat.pem") in fixed.out
    assert (after.code, after.out) == (0, TEXT + "\n")
    assert others.code == 9  # for nobody else
    assert "doctor" not in others.err.partition("hint:")[2]


def test_the_certificate_is_shown_and_asked_for(llmctl: Llmctl) -> None:
    made = authority()
    (llmctl.home / "Downloads").mkdir()
    (llmctl.home / "Downloads" / "root.crt").write_bytes(pem(made))
    kept = llmctl.config / "certificates" / "gigachat.pem"
    pairs = ":".join(sha256(made)[at : at + 2].upper() for at in range(0, 64, 2))

    said_no = llmctl.on_terminal("doctor", "gigachat", "--fix", typed=b"\n")
    assert (said_no.code, kept.exists()) == (0, False)
    shown = said_no.out.replace("\r\n", "\n")
    assert NAME in shown
    assert pairs in shown
    assert str(llmctl.home / "Downloads" / "root.crt") in shown
    assert "NOT the one that is known" in shown

    said_yes = llmctl.on_terminal("doctor", "gigachat", "--fix", typed=b"y\n")
    assert (said_yes.code, kept.read_bytes()) == (0, pem(made))
    assert llmctl.run("config", "get", "providers.gigachat.ca_file").out.strip() == str(kept)


def test_a_strange_fingerprint_is_not_trusted_unasked(llmctl: Llmctl) -> None:
    (llmctl.home / "Downloads").mkdir()
    (llmctl.home / "Downloads" / "root.cer").write_bytes(der(authority()))
    result = llmctl.run("doctor", "gigachat", "--fix", "--yes")

    assert result.code == 2
    assert "--ca FILE" in result.err
    assert not (llmctl.config / "certificates").exists()


def test_with_nothing_found_it_says_where_to_get_it(llmctl: Llmctl) -> None:
    result = llmctl.run("doctor", "gigachat", "--fix")

    assert result.code == 7
    assert "https://www.gosuslugi.ru/crt" in result.err
    assert "llmctl doctor gigachat --fix --ca FILE" in result.err


@pytest.mark.parametrize(
    "arguments",
    [("--fix",), ("gigachat", "--ca", "x"), ("gigachat", "--yes"), ("gigachat", "--fix", "--live")],
)
def test_what_does_not_go_with_it(llmctl: Llmctl, arguments: tuple[str, ...]) -> None:
    assert llmctl.run("doctor", *arguments).code == 2


def test_the_environment_of_other_programs_names_the_file(
    llmctl: Llmctl, sim: Simulator, tmp_path: Path
) -> None:
    ca = trustme.CA()
    file = tmp_path / "root.pem"
    file.write_bytes(ca.cert_pem.bytes())
    with through_tls(sim, ca) as port:
        root = f"https://127.0.0.1:{port}/gigachat"
        env = {f"{SETTINGS}BASE_URL": f"{root}/v1", f"{SETTINGS}AUTH_URL": f"{root}/oauth"}
        result = llmctl.run(*ASK, env={**env, "GIGACHAT_CA_BUNDLE_FILE": os.fspath(file)})

    assert result.code == 0


# ---- around


def test_doctor_asks_for_a_token_and_an_answer(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("doctor", "gigachat", "--json")

    assert (result.code, result.json["failed"], sim.requests) == (0, None, [])


def test_models_as_the_provider_lists_them(llmctl: Llmctl, sim: Simulator) -> None:
    result = llmctl.run("models", "list", "gigachat", "--live")

    assert result.code == 0
    assert "gigachat/mock" in result.out
    assert [one.path for one in sim.requests] == [OAUTH, "/gigachat/v1/models"]
