"""Which file of a repository of GGUF files is pulled: by its quantisation and by the memory here.

The order in which quantisations are tried: four bits first, as the trade has found them to lose
little; then five and six, which are larger; then eight; then three and two, which lose much; and
whole numbers last, which take four times as much for next to nothing. Of those the first that fits
into the memory is taken.
"""

import re
from collections.abc import Iterable, Sequence

from llmctl.dialects.look import at, int_at, text_at
from llmctl.engine.memory import amount, needed
from llmctl.errors import NotFound, UsageError
from llmctl.messages import _
from llmctl.types import Json
from llmctl.values import dataclass

SUFFIX = ".gguf"
USUAL = "Q4_K_M"
ORDER = (
    *("Q4_K_M", "Q4_K_XL", "Q4_K_L", "Q4_K_S", "IQ4_NL", "IQ4_XS", "MXFP4", "MXFP4_MOE"),
    *("Q4_0", "Q4_1", "Q5_K_M", "Q5_K_XL", "Q5_K_L", "Q5_K_S", "Q5_0", "Q5_1"),
    *("Q6_K", "Q6_K_XL", "Q6_K_L", "Q8_0", "Q8_K_XL"),
    *("Q3_K_XL", "Q3_K_L", "Q3_K_M", "IQ3_M", "Q3_K_S", "IQ3_S", "IQ3_XS", "IQ3_XXS"),
    *("Q2_K_XL", "Q2_K_L", "Q2_K", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S"),
    *("F16", "BF16", "F32"),
)
# Unsloth's own ("UD-Q4_K_XL") count as what they are called otherwise, after those without a mark.
DYNAMIC = "UD-"

_QUANT = re.compile(
    r"(?:^|[.\-_/ ])((?:UD-)?(?:I?Q[1-8](?:_(?:[0-9]|K|NL|S|M|L|XL|XS|XXS))*"
    r"|TQ[12]_0|MXFP4(?:_MOE)?|BF16|F16|FP16|F32|FP32))(?=$|[.\-_/ ])",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})$")
_ASIDE = re.compile(r"mmproj|imatrix", re.IGNORECASE)
_EMBEDS = re.compile(r"embed|(?:^|[/._-])(?:bge|e5|gte|minilm)(?:[._-]|$)", re.IGNORECASE)
# Letters, digits and what is usual between them: a name is shown, and becomes one on this disk.
_NAME = re.compile(r"[\w.+()@ -]+(?:/[\w.+()@ -]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository: its path there, its bytes, and its checksum where the Hub has one."""

    path: str
    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A model in one quantisation, in one file or in several that belong together, in order.
    `quant` is in upper case, None where no name tells it."""

    quant: str | None
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        return sum(one.size for one in self.files)

    @property
    def stem(self) -> str:
        """What the file is called without its number and ending."""
        return _stem(self.files[0].path)[0].rpartition("/")[2]

    @property
    def label(self) -> str:
        """How it is named on a command line, behind the colon."""
        return self.quant or self.stem


def remote_files(entries: Iterable[Json]) -> list[RemoteFile]:
    """The files of a tree; names that no file should have are left out."""
    found = []
    for entry in entries:
        path, size = text_at(entry, "path"), int_at(entry, "lfs", "size") or int_at(entry, "size")
        if text_at(entry, "type") != "file" or not path or size is None or size < 0:
            continue
        if not _NAME.fullmatch(path) or ".." in path:
            continue
        sha256 = text_at(at(entry, "lfs"), "oid")
        right = sha256 and _SHA256.fullmatch(sha256)
        found.append(RemoteFile(path, size, sha256 if right else None))
    return found


def variants(files: Iterable[RemoteFile]) -> list[Variant]:
    """The models in GGUF form, in the order of preference; not what goes with one (projectors for
    pictures, importance matrices), and no split one of which a part is missing."""
    groups: dict[str, dict[int, RemoteFile]] = {}
    counts: dict[str, int] = {}
    for one in files:
        if not one.path.lower().endswith(SUFFIX) or _ASIDE.search(one.path.rpartition("/")[2]):
            continue
        stem, number, count = _stem(one.path)
        groups.setdefault(stem, {})[number] = one
        counts[stem] = count
    found = [
        Variant(quant=quant_of(stem), files=tuple(parts[number] for number in sorted(parts)))
        for stem, parts in groups.items()
        if sorted(parts) == list(range(1, counts[stem] + 1))
    ]
    return sorted(found, key=_rank)


def _stem(path: str) -> tuple[str, int, int]:
    """The path without its ending, the number of the part and of how many."""
    stem = path[: -len(SUFFIX)] if path.lower().endswith(SUFFIX) else path
    if split := _SPLIT.match(stem):
        return split["stem"], int(split["number"]), int(split["count"])
    return stem, 1, 1


def quant_of(stem: str) -> str | None:
    """The quantisation in the name of a file, else in that of its folder; the last one there."""
    found = None
    for one in _QUANT.finditer(stem):
        found = one[1].upper()
    return found.replace("FP16", "F16").replace("FP32", "F32") if found else None


def _rank(one: Variant) -> tuple[int, bool, int, str]:
    quant = one.quant or ""
    plain = quant.removeprefix(DYNAMIC)
    place = ORDER.index(plain) if plain in ORDER else len(ORDER)
    return place, quant != plain, one.size, one.files[0].path


def embeds(repo: str, task: str | None) -> bool:
    """Whether the model makes vectors and no texts, by its task, else by its name."""
    if task is not None:
        return task in ("feature-extraction", "sentence-similarity")
    return bool(_EMBEDS.search(repo))


def chosen(
    repo: str, found: Sequence[Variant], wanted: str | None, memory: int | None
) -> tuple[Variant, str]:
    """The one to be pulled, and why in a few words. `memory` are the bytes that can be taken, None
    where nobody knows.

    Raises NotFound where there is none, or none of the `wanted` name; UsageError where that name is
    of several, or nothing fits into the memory. What is named is taken, whether it fits or not.
    """
    if wanted is not None:
        return _named(repo, found, wanted), _("as you asked")
    fitting = [one for one in found if memory is None or needed(one.size) <= memory]
    if not fitting:
        least = min(found, key=lambda one: one.size)
        raise UsageError(
            _("{repo} has no file that fits into the memory here: {least} takes about {needed},"
              " and {memory} are free", repo=repo, least=least.label,
              needed=amount(needed(least.size)), memory=amount(memory or 0)),
            hint=_("a smaller model: llmctl models list local; or take it all the same:"
                   " --quant {least}", least=least.label),
        )  # fmt: skip
    first = fitting[0]
    _refuse_twins(repo, found, first)
    if first.quant == USUAL:
        return first, _("the usual choice between size and quality")
    if first is not found[0]:
        return first, _("the best that fits into {memory} of free memory",
                        memory=amount(memory or 0))  # fmt: skip
    if len(found) == 1:
        return first, _("the only one there is")
    return first, _("the nearest to {usual} there is", usual=USUAL)


def _named(repo: str, found: Sequence[Variant], wanted: str) -> Variant:
    plain = wanted.lower().removesuffix(SUFFIX)
    having = [one for one in found if plain in ((one.quant or "").lower(), one.stem.lower())]
    if not having:
        raise NotFound(
            _("{repo} has no {wanted}", repo=repo, wanted=wanted),
            hint=_("it has: {names}", names=", ".join(dict.fromkeys(one.label for one in found))),
            reason="weights",
        )
    if len(having) > 1:
        raise _twins(repo, having)
    return having[0]


def _refuse_twins(repo: str, found: Sequence[Variant], one: Variant) -> None:
    twins = [other for other in found if other.quant == one.quant]
    if len(twins) > 1:
        raise _twins(repo, twins)


def _twins(repo: str, twins: Sequence[Variant]) -> UsageError:
    return UsageError(
        _("{repo} has several models of this kind: {names}", repo=repo,
          names=", ".join(one.stem for one in twins)),
        hint=_("say which: --quant {name}", name=twins[0].stem),
    )  # fmt: skip
