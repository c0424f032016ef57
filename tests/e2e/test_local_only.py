"""`--local-only`: nothing leaves the machine, look-ups of names included. The command runs where
there is no network but loopback, and where a look-up would be seen."""

from functools import cache
from pathlib import Path

import pytest

from tests.e2e.isolated import permitted, run_isolated
from tests.simulator.answers import TEXT

PROMPT = "a secret question"
OLLAMA = "LLMCTL_PROVIDERS__OLLAMA__BASE_URL"
OPENAI = "LLMCTL_PROVIDERS__OPENAI__BASE_URL"


@cache
def _permitted() -> bool:
    return permitted()


@pytest.fixture(autouse=True)
def namespace() -> None:
    if not _permitted():
        pytest.skip("unshare --map-root-user --net --mount is not permitted here")


def test_a_local_server_answers(tmp_path: Path) -> None:
    seen = run_isolated(tmp_path, "--local-only", "-m", "ollama/mock", PROMPT)

    assert (seen.code, seen.out, seen.err) == (0, TEXT + "\n", "")
    # The server is asked where the model runs before it sees the prompt.
    assert seen.paths == ["/api/show", "/api/chat"]
    assert (PROMPT in seen.bodies[0], PROMPT in seen.bodies[1]) == (False, True)
    assert seen.lookups == 0


def test_localhost_and_a_proxy_elsewhere_do_not_lead_out(tmp_path: Path) -> None:
    around = {
        "LLMCTL_PROVIDERS__LLAMACPP__BASE_URL": "{url}/v1",
        "LLMCTL_PROVIDERS__LLAMACPP__PROXY": "http://proxy.example:3128",
        "HTTP_PROXY": "http://proxy.example:3128",
        "ALL_PROXY": "socks5h://proxy.example:1080",
    }
    seen = run_isolated(tmp_path, "--local-only", "-m", "llamacpp/mock", PROMPT, env=around)

    assert (seen.code, seen.out, seen.lookups) == (0, TEXT + "\n", 0)


def test_the_name_localhost_is_asked_of_nobody(tmp_path: Path) -> None:
    here = {OLLAMA: "http://localhost:{port}"}
    seen = run_isolated(tmp_path, "--local-only", "-m", "ollama/mock", PROMPT, env=here)

    assert (seen.code, seen.out, seen.lookups) == (0, TEXT + "\n", 0)


@pytest.mark.parametrize("url", ["https://far.example/v1", "http://192.0.2.7/v1"])
def test_a_distant_host_is_refused_before_a_look_up(tmp_path: Path, url: str) -> None:
    seen = run_isolated(tmp_path, "--local-only", "-m", "openai/mock", PROMPT, env={OPENAI: url})

    assert (seen.code, seen.out, seen.paths, seen.lookups) == (4, "", [], 0)
    assert "--local-only" in seen.err
    assert "llmctl models list local" in seen.err


def test_a_distant_ollama_is_refused_before_a_look_up(tmp_path: Path) -> None:
    there = {OLLAMA: "http://far.example:11434"}
    seen = run_isolated(tmp_path, "--local-only", "-m", "ollama/mock", PROMPT, env=there)

    assert (seen.code, seen.out, seen.lookups) == (4, "", 0)


def test_without_the_flag_a_look_up_is_seen(tmp_path: Path) -> None:
    """The control of the test above: there, a question would have been counted."""
    there = {OPENAI: "http://far.example/v1"}
    seen = run_isolated(tmp_path, "-m", "openai/mock", PROMPT, env=there)

    assert seen.code == 9
    assert "far.example" in seen.err
    assert seen.lookups > 0


def test_a_cloud_model_is_refused_by_its_name(tmp_path: Path) -> None:
    seen = run_isolated(tmp_path, "--local-only", "-m", "ollama/gpt-oss:120b-cloud", PROMPT)

    assert (seen.code, seen.out, seen.paths) == (4, "", [])
    assert "cloud" in seen.err


@pytest.mark.parametrize("how", [("--local-only",), ("--require", "no-training")])
def test_a_model_that_runs_elsewhere_never_sees_the_prompt(
    tmp_path: Path, how: tuple[str, ...]
) -> None:
    # Its name tells nothing; only the server says where it runs.
    seen = run_isolated(tmp_path, *how, "-m", "ollama/mock-fault-elsewhere", PROMPT)

    assert (seen.code, seen.out, seen.paths) == (4, "", ["/api/show"])
    assert PROMPT not in "".join(seen.bodies)
    assert "https://ollama.com:443" in seen.err


def test_a_model_nobody_has_is_not_found(tmp_path: Path) -> None:
    seen = run_isolated(tmp_path, "--local-only", "-m", "ollama/nothing", PROMPT)

    assert (seen.code, seen.paths) == (7, ["/api/show"])
    assert "llmctl models pull ollama/NAME" in seen.err


def test_the_setting_is_as_good_as_the_flag(tmp_path: Path) -> None:
    policy = {"LLMCTL_POLICY__MAX_LEVEL": "device", OPENAI: "https://far.example/v1"}
    seen = run_isolated(tmp_path, "-m", "openai/mock", PROMPT, env=policy)

    assert (seen.code, seen.lookups) == (4, 0)
    assert "LLMCTL_POLICY__MAX_LEVEL" in seen.err
