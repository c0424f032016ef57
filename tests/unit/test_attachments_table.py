"""The table in docs/attachments.md says what the cards say."""

from pathlib import Path

from llmctl import catalogue
from llmctl.cards import Card
from llmctl.engine.kinds import KINDS, bare, kind_of, suffix_of
from llmctl.settings import Settings

DOCS = Path(__file__).parents[2] / "docs" / "attachments.md"


def row(card: Card) -> str | None:
    """A card's line, None where it states nothing of its models."""
    chats = [one for one in card.models if one.kind in ("chat", "base")]
    stated = [one for one in chats if one.inputs and set(one.inputs) != {"text"}]
    if not stated:
        return None
    takes = sorted({", ".join(kind for kind in KINDS if kind in one.inputs) for one in stated})
    limits = card.limits
    sizes = [f"{kind} {_mb(most)}" for kind, most in limits.media_bytes.items()]
    if limits.attachment_bytes is not None:
        sizes.append(f"{'others ' if sizes else ''}{_mb(limits.attachment_bytes)}")
    whole = [] if limits.body_bytes is None else [f"{_mb(limits.body_bytes)} as base64"]
    if limits.attachments is not None:
        whole.append(f"{limits.attachments} files")
    if limits.media_total_bytes is not None:
        whole.append(f"less than {_mb(limits.media_total_bytes)}")
    whole += [f"{count} {kind} a message" for kind, count in limits.media_count.items()]
    whole += [] if limits.media_mixed else ["kinds not mixed"]
    formats = [
        f"{kind}: {' '.join(map(_form, made))}"
        for kind, made in limits.media_types.items()
        if any(kind in one.inputs for one in stated)
    ]
    cells = (card.name, "; or ".join(takes), "; ".join(formats) or "–",
             ", ".join(sizes) or "–", ", ".join(whole) or "–",
             ", ".join(card.url_inputs) or "–")  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _form(media_type: str) -> str:
    return suffix_of(media_type)[1:]


def _mb(size: int) -> str:
    return f"{size // 10**9} GB" if size >= 10**9 else f"{size // 10**6} MB"


def table() -> list[str]:
    cards = [catalogue.card(name, Settings()) for name in sorted(catalogue.shipped_ids())]
    return [line for card in cards if (line := row(card)) is not None]


def test_the_table_is_that_of_the_cards() -> None:
    text = DOCS.read_text("utf-8")
    shown = text.partition("<!-- kinds -->")[2].partition("<!-- /kinds -->")[0].split("\n")

    assert [line for line in shown[3:] if line] == table()


def test_kinds_on_cards_are_those_that_files_have() -> None:
    for name in catalogue.shipped_ids():
        card = catalogue.card(name, Settings())
        named = {
            *card.url_inputs,
            *card.limits.media_bytes,
            *card.limits.media_count,
            *card.limits.media_types,
            *(kind for model in card.models for kind in model.inputs),
        }
        assert named <= set(KINDS), name
        for kind, types in card.limits.media_types.items():
            assert {kind_of(one) for one in types} == {kind}, name
            assert all(suffix_of(one) and bare(one) == one for one in types), name
