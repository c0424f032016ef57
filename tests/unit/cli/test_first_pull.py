"""When the file of a local model may be fetched at its first use."""

from pathlib import Path

import pytest

from llmctl import settings
from llmctl.cli.first_pull import ready
from llmctl.engine.resolve import resolve
from llmctl.errors import NotFound

MODEL = "local/smollm2-135m"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: object())
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("by_flag", [True, False])
def test_a_policy_that_keeps_all_here_is_named_by_its_place(
    by_flag: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command of the hint is not refused by the same policy."""
    key = "policy.max_level"
    if by_flag:
        loaded = settings.load({key: "device"}, spelt={key: "--local-only"})
        place, hint = "flag --local-only", f"llmctl models pull {MODEL}"
    else:
        monkeypatch.setenv("LLMCTL_POLICY__MAX_LEVEL", "device")
        loaded = settings.load()
        place = "environment LLMCTL_POLICY__MAX_LEVEL"
        hint = f"llmctl models pull {MODEL} --from FILE"

    with pytest.raises(NotFound) as caught:
        ready(resolve(MODEL, loaded), loaded, may_ask=False, quiet=True)

    assert f"({place})" in caught.value.message
    assert (caught.value.hint or "").endswith(hint)
