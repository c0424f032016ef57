"""Pulling a GGUF model from the Hub by its own name: looked at, chosen, fetched at one commit,
checked, and put into the register of local models."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmctl import files
from llmctl.cards import Model, Weights
from llmctl.dialects.look import at, int_at, text_at
from llmctl.dialects.price_lists import counted
from llmctl.engine import hub_api, hub_files, weights
from llmctl.engine.hub import endpoint, from_hub
from llmctl.engine.hub_files import RemoteFile, Variant
from llmctl.engine.hub_search import licence_of
from llmctl.engine.memory import amount, needed
from llmctl.engine.pull import Progress, Pull, alone, room
from llmctl.errors import AuthFailed, IoFailed, LlmctlError, NetworkFailed, NotFound
from llmctl.messages import _
from llmctl.types import Json
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.engine.weights import Notice
    from llmctl.settings import Settings

FACTS = ("sha", "gated", "gguf", "cardData", "tags", "pipeline_tag")
MOST_LANGUAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One pull: of which repository, in which quantisation (None lets us choose), and whom to tell.
    `memory` are the bytes that a model may take, None where nobody knows."""

    repo: str
    quant: str | None
    settings: "Settings"
    notice: "Notice"
    progress: Progress
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a pull will bring, and all that the register keeps of it."""

    model: Model
    variant: Variant
    why: str
    repo: str
    revision: str
    facts: Mapping[str, Json]


async def planned(order: Order) -> Plan:
    """Look at the repository and choose. Raises NotFound for one that there is not or that has no
    GGUF file, UsageError where the choice is the user's, and what connections raise."""
    answer = await hub_api.model(order.repo, FACTS, order.settings)
    named, revision = text_at(answer, "id") or order.repo, text_at(answer, "sha") or "main"
    repo = named if hub_api.is_repo(named) else order.repo
    listed = hub_files.remote_files(await hub_api.tree(repo, revision, order.settings))
    found = hub_files.variants(listed)
    if not found:
        raise no_gguf(repo)
    variant, why = hub_files.chosen(repo, found, order.quant, order.memory)
    facts = {**facts_of(answer, repo), "repo": repo, "revision": revision, "quant": variant.quant,
             "label": variant.label, "file": variant.files[0].path, "size": variant.size,
             "memory": needed(variant.size)}  # fmt: skip
    id = f"{repo}:{variant.label}"
    first = variant.files[0]
    model = Model(id=id, name=id, licence=facts["licence"], weights=_weights(repo, revision, first))
    return Plan(
        model=model, variant=variant, why=why, repo=repo, revision=revision, facts=facts
    )  # fmt: skip


def no_gguf(repo: str) -> NotFound:
    word = repo.rpartition("/")[2]
    return NotFound(
        _("{repo} has no file in GGUF form, which is what runs here", repo=repo),
        hint=_("others have made such files of it: llmctl models list huggingface --gguf --search"
               " {word}", word=word),
        reason="not-gguf",
    )  # fmt: skip


def facts_of(answer: Json, repo: str) -> dict[str, Json]:
    """Of the Hub's answer what is worth keeping; None where it does not say."""
    card = at(answer, "cardData")
    base, languages = at(card, "base_model"), at(card, "language")
    if isinstance(base, list):
        base = base[0] if len(base) == 1 else None
    if isinstance(languages, str):
        languages = [languages]
    parameters, context = (int_at(answer, "gguf", key) for key in ("total", "context_length"))
    texts = languages if isinstance(languages, list) else []
    return {
        "licence": licence_of(answer),
        "base": base if isinstance(base, str) else None,
        "languages": [one for one in texts if isinstance(one, str)][:MOST_LANGUAGES],
        "context": context if context and context > 0 else None,
        "parameters": counted(parameters) if parameters and parameters > 0 else None,
        "embeds": hub_files.embeds(repo, text_at(answer, "pipeline_tag")),
    }


def about(plan: Plan, order: Order) -> str:
    """What will be fetched and why, in a line."""
    from llmctl.engine.weights import place

    licence = plan.model.licence or _("licence unknown")
    parts = len(plan.variant.files)
    text = _("{name}, {size}, about {memory} of memory, {licence}, from {source}: {why}",
             name=place(plan.model).name, size=amount(plan.variant.size),
             memory=amount(needed(plan.variant.size)), licence=licence,
             source=f"{endpoint(order.settings)}/{plan.repo}", why=plan.why)  # fmt: skip
    return text if parts == 1 else f"{text} {_('({count} files)', count=parts)}"


def too_large(plan: Plan, memory: int | None) -> str | None:
    """A warning for a model that was named and does not fit, None for others."""
    takes = needed(plan.variant.size)
    if memory is None or takes <= memory:
        return None
    return _("It takes about {takes} of memory, and {free} are free: it may not load here.",
             takes=amount(takes), free=amount(memory))  # fmt: skip


async def brought(plan: Plan, order: Order) -> Path:
    """Fetch what is not here yet; where the model (its first file) is now.

    Raises IoFailed where the disk has no room, before anything is fetched; AuthFailed for a gated
    model, with the page of its terms; NetworkFailed where the transfer breaks or the bytes are not
    those of the Hub. What has come of a broken transfer is kept to be taken up again.
    """
    place = weights.place(plan.model)
    folder = place.parent
    files.private_dir(folder.parent)
    async with alone(folder.with_name(f"{folder.name}.lock"), order.notice):
        files.private_dir(folder)
        try:
            await _brought(plan, order, place)
        except LlmctlError:
            with suppress(OSError):  # something has come, and is kept
                folder.rmdir()
            raise
    return place


async def _brought(plan: Plan, order: Order, place: Path) -> None:
    kept = []
    room(place.parent, await _missing(plan, place.parent))
    for one in plan.variant.files:
        goal = place.parent / Path(one.path).name
        digest = await _digest_of(goal, one)
        if digest is None:
            digest = await _fetched(plan, order, one, goal)
        kept.append({"name": goal.name, "size": goal.stat().st_size, "sha256": digest})
    record = {
        "sha256": kept[0]["sha256"],
        "source": f"{plan.repo}@{plan.revision}",
        "hub": dict(plan.facts),
        **({"files": kept} if len(kept) > 1 else {}),
    }
    weights.remember(plan.model, place, record)
    _tidied(place.parent, [str(one["name"]) for one in kept])


async def _missing(plan: Plan, folder: Path) -> int:
    """Bytes that are still to come, by the sizes alone."""
    from llmctl.transport.download import size_of

    missing = 0
    for one in plan.variant.files:
        goal = folder / Path(one.path).name
        here = max(size_of(goal), size_of(goal.with_name(f"{goal.name}.part")))
        missing += max(0, one.size - here)
        await asyncio.sleep(0)
    return missing


async def _digest_of(goal: Path, stated: RemoteFile) -> str | None:
    """The checksum of a file that is here whole; None where it is to be fetched."""
    if not _is_whole(goal, stated.size):
        return None
    digest = await weights.sha256_calmly(goal)
    return digest if stated.sha256 in (None, digest) else None


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _tidied(folder: Path, kept: Collection[str]) -> None:
    """Take away what an earlier pull of another revision has left under other names."""
    for one in folder.iterdir():
        if one.name not in kept:
            one.unlink()


async def _fetched(plan: Plan, order: Order, one: RemoteFile, goal: Path) -> str:
    part = goal.with_name(f"{goal.name}.part")
    known = _weights(plan.repo, plan.revision, one)
    count = len(plan.variant.files)
    which = f" ({plan.variant.files.index(one) + 1}/{count})" if count > 1 else ""
    request = Pull(
        model=plan.model,
        settings=order.settings,
        notice=order.notice,
        progress=lambda title, size: order.progress(f"{title}{which}", size),
    )
    try:
        digest, _source = await from_hub(request, known, part)
        if one.sha256 is not None and digest != one.sha256:
            part.unlink(missing_ok=True)
            raise NetworkFailed(
                _("{file} did not arrive as the Hub has it: the checksum differs", file=goal.name),
                reason="checksum",
                hint=again(plan),
            )
        part.replace(goal)
    except AuthFailed as error:
        raise hub_api.not_let_in(plan.repo, error, order.settings) from None
    except IoFailed:
        part.unlink(missing_ok=True)  # a full disk gets its room back
        raise
    except OSError as error:
        part.unlink(missing_ok=True)
        raise files.io_failed(error, goal) from error
    return digest


def again(plan: Plan) -> str:
    return _("try it again: llmctl models pull local/{model}", model=plan.model.id)


def _weights(repo: str, revision: str, one: RemoteFile) -> Weights:
    return Weights(
        hub=repo,
        file=one.path,
        revision=revision,
        size=one.size,
        sha256=one.sha256,
        verified=True,
    )
