"""How likely the model took each token to be, where it was asked to tell: pieces that are put
together as the answer comes, in the provider's own form."""

from llmctl.types import Json


def joined(before: Json, piece: Json) -> Json:
    """Lists behind each other, tables field by field; of anything else the later one."""
    if isinstance(before, list) and isinstance(piece, list):
        return before + piece
    if isinstance(before, dict) and isinstance(piece, dict):
        return before | {name: joined(before.get(name), one) for name, one in piece.items()}
    return before if piece is None else piece
