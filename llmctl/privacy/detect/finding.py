"""One thing that was found."""

from llmctl.values import dataclass

TYPES = (
    "email", "phone", "card", "iban", "inn", "snils", "ogrn", "passport_ru", "person", "secret",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """`text[start:end]` in characters; `name` says which secret it is ("openai-key", "pem").

    `severe` is false for what only looks as if it were secret (`password=…`, an empty key block,
    documented examples): worth a warning, no reason to refuse.
    """

    type: str
    start: int
    end: int
    name: str | None = None
    severe: bool = True
