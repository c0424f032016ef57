"""What a model is called on the wire, where that is not its name here."""

from llmctl.types import Quirks


def on_the_wire(model: str, quirks: Quirks) -> str:
    """`model` as the card's pattern has it, `gpt://{folder}/{model}` for one; a name that is an
    address already stays as it is."""
    if quirks.model_name == "{model}" or "://" in model:
        return model
    return quirks.model_name.format_map({**quirks.settings, "model": model})
