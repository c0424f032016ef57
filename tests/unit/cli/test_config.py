"""What `llmctl config set` writes, and what it does not."""

from pathlib import Path

import pytest

from llmctl import settings
from llmctl.cli.config import set_
from llmctl.errors import ConfigError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "CACHE"):
        monkeypatch.setenv(f"LLMCTL_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("providers.gemini.tier", "gold", "not one of: free, paid"),
        ("profiles.work.providers.gemini.tier", "gold", "not one of: free, paid"),
        ("providers.openia.proxy", "none", "there is no provider openia"),
        ("providers.openai.nosuch", "5", "providers.openai has no setting nosuch"),
    ],
)
def test_what_does_not_fit_the_card_is_refused_at_once(key: str, value: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        set_(key, value)

    assert not settings.user_file().exists()


def test_what_fits_is_written() -> None:
    set_("providers.work.extends", "gemini")
    set_("profiles.paid.providers.work.tier", "paid")
    set_("providers.yandexgpt.folder", "12345")

    own = settings.load(profile="paid").settings.providers
    assert (own["work"].extends, own["work"].extra) == ("gemini", {"tier": "paid"})
    assert own["yandexgpt"].extra == {"folder": "12345"}


def test_a_fault_elsewhere_does_not_keep_others_from_being_set() -> None:
    settings.set_value("providers.openia.proxy", "none")

    set_("providers.gemini.tier", "paid")

    assert 'tier = "paid"' in settings.user_file().read_text()
