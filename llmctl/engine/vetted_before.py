"""Verdicts that were given before on calls of the same kind: a job has millions that differ in
nothing but their text, and a verdict does not depend on what a text says.

Two calls are of one kind when their requests are the same but for the texts of the conversation:
the same fields, headers, options and types of content, the same kinds of personal data in them.
"""

import json
import time
from collections.abc import Hashable, Iterator, Mapping

from llmctl import catalogue
from llmctl.engine.route import Route
from llmctl.privacy.controls import Sent, fitting
from llmctl.privacy.rows import shipped_bound
from llmctl.settings import Loaded, ProviderSettings
from llmctl.types import Json

# The fields of a request that hold what is said. Whatever they hold beside texts counts.
SAID = frozenset(
    {
        *("messages", "prompt", "contents", "input", "inputs", "system", "systemInstruction"),
        *("system_instruction", "instructions"),
    }
)
DAY_S = 86_400  # facts grow old, by days
MOST = 256


class Place:
    """What all calls of one route have in common, as long as settings and route are the same."""

    def __init__(self, route: Route, loaded: Loaded) -> None:
        self.route, self.loaded = route, loaded
        card = route.card
        self.own = loaded.settings.providers.get(route.provider, ProviderSettings())
        self.base_url = catalogue.base_url(card, self.own)
        self.dialect = catalogue.dialect_of(card, route.model_card, self.own)
        self.possible = tuple(fitting(card, self.dialect, self.own, whatever=True))
        self._by_text = any(
            "=" in path and path.partition(".")[0] in SAID for path in self._looked_at()
        )
        self._verdicts: dict[Hashable, Route] = {}

    def _looked_at(self) -> Iterator[str]:
        """Every place of a request that facts of a card depend on."""
        bound = shipped_bound(
            self.route.card, self.route.model_card, self.base_url, self.loaded.settings
        )
        for card in (self.route.card, *(bound[:1] if bound else ())):
            yield from (path for row in card.privacy for one in row.lowered for path in one.found)
            yield from (f"{one.body}=" for one in card.controls if one.body is not None)

    def kind(self, sent: Sent) -> Hashable | None:
        """The same for calls of one kind; None where the text itself may matter."""
        body = sent.body
        if self._by_text or not isinstance(body, Mapping):
            return None
        rest = {name: value for name, value in body.items() if name not in SAID}
        try:
            said = tuple((name, outline(body[name])) for name in body if name in SAID)
            plain = json.dumps((rest, dict(sent.headers)), sort_keys=True)
        except TypeError:  # a file, whose bytes are read while they are sent
            return None
        day = time.time() // DAY_S
        return (plain, said, sent.controls, sent.features, sent.hosts, sent.personal, day)

    def before(self, kind: Hashable | None) -> Route | None:
        """The route with the verdict on such a call, where there has been one."""
        return None if kind is None else self._verdicts.get(kind)

    def keep(self, kind: Hashable | None, route: Route) -> Route:
        if kind is not None:
            if len(self._verdicts) >= MOST:
                self._verdicts.clear()
            self._verdicts[kind] = route
        return route


def outline(value: Json) -> Hashable:
    """A value without its texts: names, numbers and how it is built. Raises TypeError for what is
    no JSON."""
    if isinstance(value, str):
        return ""
    if isinstance(value, Mapping):
        return tuple((name, outline(below)) for name, below in value.items())
    if isinstance(value, list | tuple):
        return tuple(outline(one) for one in value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(type(value))


_PLACES: dict[tuple[int, int], Place] = {}


def place_of(route: Route, loaded: Loaded) -> Place:
    """The same one each time for the same route and settings, of which it keeps hold."""
    key = (id(route), id(loaded))
    found = _PLACES.get(key)
    if found is None:
        if len(_PLACES) >= MOST:
            _PLACES.clear()
        found = _PLACES[key] = Place(route, loaded)
    return found
