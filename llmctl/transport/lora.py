"""Whether a file can be laid over a model as a LoRA adapter: the library says of every one that it
cannot take only that something is wrong."""

from collections.abc import Iterable
from pathlib import Path

from llmctl.errors import ConfigError, NotFound
from llmctl.messages import _
from llmctl.transport.gguf import NoHead, head

KIND, FORM, MADE_FOR = "general.type", "adapter.type", "general.architecture"


def check_adapters(adapters: Iterable[tuple[Path, float]], model: Path) -> None:
    """Raises NotFound where there is no file, ConfigError for one that is no adapter or was made
    for models of another architecture."""
    try:
        architecture = head(model, (MADE_FOR,)).get(MADE_FOR)
    except (NoHead, OSError):
        architecture = None  # loading it will say what is wrong with it
    for path, _scale in adapters:
        _check(path, architecture, model)


def _check(path: Path, architecture: object, model: Path) -> None:
    try:
        found = head(path, (KIND, FORM, MADE_FOR))
    except FileNotFoundError:
        raise NotFound(
            _("there is no LoRA file {path}", path=path),
            hint=_("give the path of a GGUF adapter: -o lora=adapter.gguf"),
            reason="weights",
        ) from None
    except OSError as error:
        raise ConfigError(
            _("cannot read {path}: {why}", path=path, why=error.strerror or type(error).__name__)
        ) from None
    except NoHead:
        raise ConfigError(
            _("{path} is not an adapter in GGUF form", path=path),
            hint=_("llama.cpp's convert_lora_to_gguf.py makes one of an adapter from the Hub"),
            reason="not-gguf",
        ) from None
    if found.get(KIND) != "adapter":
        raise ConfigError(
            _("{path} is no adapter", path=path),
            hint=_("a whole model is named with -m: -m local/{path}", path=path),
            reason="not-an-adapter",
        )
    if found.get(FORM) != "lora":
        raise ConfigError(
            _("{path} is an adapter of the kind {kind}, not lora", path=path,
              kind=found.get(FORM)),
            reason="not-an-adapter",
        )  # fmt: skip
    if architecture is not None and found.get(MADE_FOR) != architecture:
        raise ConfigError(
            _("{path} was made for models of the architecture {one}, and {model} has {other}",
              path=path, one=found.get(MADE_FOR), model=model.name, other=architecture),
            hint=_("ask the model that it was made for with -m, or leave the adapter out"),
            reason="other-architecture",
        )  # fmt: skip
