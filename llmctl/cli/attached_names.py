"""What attached files are called in a request: no more of where they lie than tells them apart."""

import os
import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import PurePath, PurePosixPath

from llmctl.cli.attached_address import is_address, path_of

STDIN = "-"

Parts = tuple[str, ...]


def names_of(given: Sequence[str]) -> list[str]:
    """A name for each file, no two the same: that of the file, with folders where several have
    it, and with a number where folders do not tell either."""
    paths = [_parts(one) for one in given]
    names: list[str] = []
    for place, path in paths:
        alike = [other for where, other in paths if (where, other[-1]) == (place, path[-1])]
        names.append(_numbered(_harmless("/".join(_telling(path, alike))), names))
    return names


def _parts(given: str) -> tuple[str, Parts]:
    """Where a file is (paths of one place have folders in common), its folders and its name; what
    has none is named as it was given."""
    if given == STDIN:
        return "stdin", ("input",)
    place, whole = "here", os.path.abspath(given)
    if is_address(given):
        place, whole = "there", path_of(given)
    path = PurePath(whole)
    return place, tuple(one for one in path.parts if one != path.anchor) or (given,)


def _telling(path: Parts, alike: Sequence[Parts]) -> Parts:
    """The end of a path that is as short as tells it from others of its name, in so far as they
    differ: the folders that all are in, such as that of the user, are nobody else's business."""
    folders = zip(*(one[:-1] for one in alike), strict=False)
    common = sum(1 for _all in takewhile(lambda level: len(set(level)) == 1, folders))
    own = {one[common:] for one in alike}
    enough = next(
        length
        for length in range(1, max(map(len, own)) + 1)
        if len({one[-length:] for one in own}) == len(own)
    )
    return path[common:][-enough:]


def _numbered(name: str, taken: Sequence[str]) -> str:
    path, number, made = PurePosixPath(name), 1, name
    while made in taken:
        number += 1
        made = name.removesuffix(path.suffix) + f" ({number})" + path.suffix
    return made


def _harmless(name: str) -> str:
    """The name without what would end its line or its quotes."""
    known = name.encode("utf-8", "replace").decode()
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", known).replace('"', "'")
