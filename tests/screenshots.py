"""The pictures of a report in the docs: `python -m tests.screenshots report.html` writes
`docs/images/compare-light.png`, `-dark.png` and `-phone.png` (or into the folder that is named
after it, under the name that follows)."""

import sys
from pathlib import Path
from typing import Literal

from tests.browser import browser, chromium

ROOT = Path(__file__).parent.parent
DESKTOP, PHONE = (1440, 1500), (390, 1400)  # width and height in CSS pixels
# Name, size, theme, and how many pixels of the picture a CSS pixel takes.
Shot = tuple[str, tuple[int, int], Literal["light", "dark"], float]
SHOTS: tuple[Shot, ...] = (
    ("light", DESKTOP, "light", 1.0),
    ("dark", DESKTOP, "dark", 1.0),
    ("phone", PHONE, "light", 2.0),
)


def pictures(
    report: Path, folder: Path, name: str = "compare", *, whole: bool = False
) -> list[Path]:
    """Writes the pictures and says where; with `whole` of the page to its end."""
    path = chromium()
    if path is None:
        raise SystemExit("there is no Chromium here: install the package `chromium`")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with browser(path) as started:
        for kind, (width, height), scheme, scale in SHOTS:
            page = started.new_page(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                device_scale_factor=scale,
            )
            page.goto(report.resolve().as_uri())
            target = folder / f"{name}-{kind}.png"
            page.screenshot(path=target, full_page=whole)
            page.close()
            written.append(target)
    return written


def main() -> int:
    if not 2 <= len(sys.argv) <= 4:
        print(__doc__, file=sys.stderr)
        return 2
    report = Path(sys.argv[1])
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "images"
    for path in pictures(report, folder, *sys.argv[3:]):
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
