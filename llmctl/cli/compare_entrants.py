"""Who is compared: each model with each variant of the prompt, and why some are not asked."""

from collections.abc import Callable, Container, Mapping, Sequence
from itertools import chain, count
from typing import TYPE_CHECKING

from llmctl.cli.asked import make_call
from llmctl.cli.compare_asked import CompareAsked
from llmctl.cli.compare_cases import prompt_of
from llmctl.cli.flags import pairs
from llmctl.compare.running import Entrant
from llmctl.compare.shape import Candidate, Case, Skipped
from llmctl.dialects.media import files_of
from llmctl.engine.attempt import given_back
from llmctl.engine.placed import Place, placed
from llmctl.engine.reach import address_of
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.engine.tradeoffs import tradeoffs
from llmctl.errors import (
    AuthFailed,
    BudgetRefused,
    LlmctlError,
    NotFound,
    PrivacyRefused,
    Rejected,
    UsageError,
)
from llmctl.messages import _
from llmctl.privacy.policy import judge
from llmctl.templates import Template
from llmctl.types import Call, Chat, Complete, Fill, Json, Media, Text, Verdict
from llmctl.values import dataclass

if TYPE_CHECKING:
    from llmctl.output.terminal import Terminal
    from llmctl.settings import Loaded

# What keeps one model out and leaves the others in; anything else is a mistake in what was typed.
KEPT_OUT = (PrivacyRefused, AuthFailed)
LONGEST_NAME = 30  # of a variant that is a text


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """All candidates in the order they were named, and those of them that are asked."""

    candidates: tuple[Candidate, ...]
    entrants: tuple[Entrant, ...]
    errors: Mapping[int, LlmctlError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What all calls of a comparison share."""

    asked: CompareAsked
    loaded: "Loaded"
    attached: tuple[Text | Media, ...] = ()
    schema: Mapping[str, Json] | None = None


def gathered(
    asking: Asking, names: Sequence[str], cases: Sequence[Case], terminal: "Terminal"
) -> Field:
    """Raises UsageError for a name that is none or stands there twice, NotFound for a model that a
    card rules out. Nothing is sent; weights that are missing are pulled where that is allowed."""
    variants = read_variants(asking.asked)
    candidates: list[Candidate] = []
    entrants: list[Entrant] = []
    errors: dict[int, LlmctlError] = {}
    seen: dict[tuple[str, str], str] = {}
    for name in names:
        _refuse_twice(placed(name, asking.loaded), name, seen)
    for name in names:
        route, error = _route(name, asking, terminal)
        for label, template in variants:
            place = len(candidates)
            refused = error
            if route is not None:
                case = _first_usable(_maker(asking, route, template), cases)
                entrant = _entrant(asking, place, route, template, case)
                refused = _unable(entrant.route, entrant.call(case), asking.loaded)
                if refused is None:
                    entrants.append(entrant)
            if refused is not None:
                errors[place] = refused
            candidates.append(_candidate(name, label, route, refused, asking.loaded))
    return Field(candidates=tuple(candidates), entrants=tuple(entrants), errors=errors)


def read_variants(asked: CompareAsked) -> list[tuple[str | None, Template | None]]:
    """The variants by the names tables have for them; one without a name where there are none.
    Raises UsageError for one that stands there twice, NotFound for one that there is not."""
    from llmctl import templates
    from llmctl.settings import paths

    places = templates.folders(paths().config)
    if asked.template is not None:
        return [(None, templates.load(asked.template, places))]
    found: dict[str | None, Template | None] = {}
    seen: set[str] = set()
    for one in asked.variant or ():
        is_text = "{{" in one
        name = _shortened(one, found) if is_text else one
        if one in seen:
            raise UsageError(_("the variant {name} is named twice", name=name))
        seen.add(one)
        found[name] = Template(name=name, prompt=one) if is_text else templates.load(one, places)
    return [*found.items()] or [(None, None)]


def _shortened(text: str, taken: Container[str | None]) -> str:
    """A name for a variant that is a text: its beginning, with a number where others have that."""
    line = " ".join(text.split())
    name = line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 1] + "…"
    numbered = (f"{name} ({number})" for number in count(2))
    return next(one for one in chain((name,), numbered) if one not in taken)


def _route(
    name: str, asking: Asking, terminal: "Terminal"
) -> tuple[Route | None, LlmctlError | None]:
    """The route of a model that can be asked, or why it cannot."""
    from llmctl.cli.able import refuse_vectors
    from llmctl.cli.one import with_weights

    asked = asking.asked
    try:
        route = resolve(name, asking.loaded, shown=asked.dry_run)
        refuse_vectors(route, Chat(model=route.model, messages=()))
        if not asked.dry_run:
            route = with_weights(route, asking.loaded, terminal, asked)
    except KEPT_OUT as error:
        return None, error
    except NotFound as error:
        if error.reason != "weights":
            raise
        return None, error
    return route, None


def _refuse_twice(place: Place, name: str, seen: dict[tuple[str, str], str]) -> None:
    key = (place.card.id, place.model)
    if key in seen:
        raise UsageError(
            _("{name} and {other} are the same model", name=name, other=seen[key])
            if seen[key] != name
            else _("{name} is named twice", name=name),
            hint=_("to ask it more often: --repeat N"),
        )
    seen[key] = name


def _entrant(
    asking: Asking, place: int, route: Route, template: Template | None, case: Case
) -> Entrant:
    """One candidate as it is asked; raises what the first case cannot be asked for."""
    make = _maker(asking, route, template)
    if "lora" not in make(case).options:
        return Entrant(candidate=place, route=route, call=make)
    from llmctl.cli.adapters import with_adapters

    adapted = with_adapters(route, make(case))[0]

    def stripped(case: Case) -> Call:
        return with_adapters(route, make(case))[1]

    return Entrant(candidate=place, route=adapted, call=stripped)


def _first_usable(make: Callable[[Case], Call], cases: Sequence[Case]) -> Case:
    """A case that has all that is wanted of it; raises the UsageError of the first where none
    has."""
    first: UsageError | None = None
    for case in cases:
        try:
            make(case)
        except UsageError as error:
            first = first or error
        else:
            return case
    assert first is not None  # noqa: S101  there is at least one case
    raise first


def usable(
    entrants: Sequence[Entrant], cases: Sequence[Case]
) -> tuple[tuple[Case, ...], tuple[Skipped, ...]]:
    """The cases that every candidate can be asked, and those that lack what a variant wants."""
    kept: list[Case] = []
    skipped: list[Skipped] = []
    for case in cases:
        try:
            for entrant in entrants:
                entrant.call(case)
        except UsageError as error:
            if case.line is None:
                raise
            skipped.append(Skipped(line=case.line, why=error.message))
        else:
            kept.append(case)
    return tuple(kept), tuple(skipped)


def _maker(
    asking: Asking, route: Route, template: Template | None
) -> Callable[[Case], Chat | Complete | Fill]:
    asked = asking.asked

    def make(case: Case) -> Chat | Complete | Fill:
        prompt = prompt_of(case, asked)
        rendered = None
        if template is not None:
            columns = {} if case.line is None else case.columns
            rendered = template.render(
                pairs(asked.param, "-p"), prompt.input, prompt=prompt.argument, columns=columns
            )
        schema = asking.schema or (rendered.schema if rendered else None)
        return make_call(
            asked,
            prompt,
            asking.loaded.settings,
            rendered=rendered,
            history=(),
            schema=schema,
            attached=asking.attached,
            model=route.model,
        )

    return make


def _unable(route: Route, call: Call, loaded: "Loaded") -> LlmctlError | None:
    """Why the model cannot be asked this: by what its card says, or by a budget that wants to know
    its price."""
    from llmctl.engine.attaching import fitting_files
    from llmctl.engine.clearance import cleared, has_budget

    try:
        if files_of(call):
            fitting_files(route, call, loaded)
        if has_budget(loaded):
            given_back(cleared(route, call, loaded))
    except (UsageError, Rejected, BudgetRefused) as error:
        return error
    except PrivacyRefused:  # of this text; others may pass
        return None
    return None


def _candidate(
    name: str,
    label: str | None,
    route: Route | None,
    refused: LlmctlError | None,
    loaded: "Loaded",
) -> Candidate:
    place = placed(name, loaded)
    card = place.model_card
    facts = tradeoffs(place.card, card, None) if card else None
    return Candidate(
        name=name if label is None else f"{name} · {label}",
        model=f"{place.card.id}/{place.model}",
        provider=place.card.id,
        variant=label,
        verdict=route.verdict if route is not None else _verdict(place, loaded),
        weights=facts.weights if facts else "unknown",
        licence=facts.licence if facts else None,
        memory=facts.memory if facts else None,
        refused=refused.failure() if refused is not None else None,
    )


def _verdict(place: Place, loaded: "Loaded") -> Verdict:
    """What becomes of the data at a model that is not asked."""
    return judge(
        place.card,
        place.model_card,
        base_url=address_of(place.card, place.own),
        loaded=loaded,
        elsewhere=place.passed_on,
    )
