"""`python -m tests.matrix`: write docs/conformance.md, docs/providers.md and
docs/privacy-table.md anew."""

from pathlib import Path

from tests.generated import in_english
from tests.matrix import document, policies, providers
from tests.matrix.play import Stages

DOCS = Path(__file__).parent.parent.parent / "docs"


def main() -> int:
    with in_english():
        with Stages() as stages:
            texts = {"conformance.md": document.written(stages)}
        texts["providers.md"] = providers.written()
        texts["privacy-table.md"] = policies.written()
    for name, text in texts.items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
