"""Names of the Hub's models as people have them: the address of a page, or ORG/NAME alone."""

from typing import TYPE_CHECKING

from llmctl.messages import _

if TYPE_CHECKING:
    from llmctl.settings import Loaded

# Names that other programs have for the Hub.
HUBS = ("https://huggingface.co/", "https://hf.co/", "huggingface.co/", "hf.co/")
GGUF = ".gguf"


def split_of_hub(name: str, loaded: "Loaded", prefix: str) -> tuple[str, str]:
    """The provider and the model that a name, an alias or an address means; names on the Hub stand
    behind `prefix` here. Raises UsageError for a bare id that no card or several have."""
    from llmctl.engine.pulled import HUB_NAME
    from llmctl.engine.resolve import split, unalias
    from llmctl.errors import UsageError

    name = unalias(name, loaded.settings)
    for hub in HUBS:
        if name.startswith(hub):
            name = f"{prefix}{_repo(name.removeprefix(hub))}"
    try:
        return split(name, loaded.settings)
    except UsageError as error:
        if HUB_NAME.fullmatch(name) is None:
            raise
        hint = _("if it is one of the Hub: {name}", name=f"{prefix}{name}")
        raise UsageError(error.message, hint=hint) from None


def _repo(path: str) -> str:
    """ORG/NAME of the path of a page, with the quantisation if it is that of a file."""
    organisation, _slash, rest = path.rstrip("/").partition("/")
    name, *below = rest.split("/")
    file = below[-1] if below and below[-1].endswith(GGUF) else None
    quant = f":{file.removesuffix(GGUF)}" if file else ""
    return f"{organisation}/{name}{quant}"
