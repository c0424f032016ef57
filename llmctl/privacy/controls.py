"""What is sent for the sake of privacy, and whether it really stands in a request."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.dialects.media import files_of
from llmctl.types import NOTHING, Json
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.cards import Card, Control
    from llmctl.dialects import HttpCall
    from llmctl.settings import ProviderSettings, Settings
    from llmctl.types import Call, Quirks


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What of a request matters for privacy: the names of the controls in it, the features that it
    uses (`batch`, `files`, ...; those that the body shows are `body`'s), its headers without the
    key, the hosts that pictures are fetched from, and the types of personal data in it (by how
    often)."""

    controls: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
    body: Json = None
    headers: Mapping[str, str] = NOTHING
    hosts: tuple[str, ...] = ()
    personal: tuple[tuple[str, int], ...] = ()


def fitting(
    card: "Card", dialect: str, own: "ProviderSettings", *, whatever: bool = False
) -> "Iterator[Control]":
    """The card's controls that can be sent in a dialect, at the user's address and with these
    settings; `whatever` leaves address and settings out."""
    if not card.controls:
        return
    at_home = own.facts is not None or catalogue.is_own_host(card, catalogue.base_url(card, own))
    stated = {one.name: catalogue.setting_of(card, own, one) for one in card.settings}
    for one in card.controls:
        if one.dialects and dialect not in one.dialects:
            continue
        if whatever or ((at_home or one.elsewhere) and one.when.items() <= stated.items()):
            yield one


def planned(
    card: "Card", dialect: str, own: "ProviderSettings", settings: "Settings"
) -> "tuple[Control, ...]":
    """Those that are sent without being asked for."""
    if settings.privacy.allow_logging:
        return ()
    return tuple(one for one in fitting(card, dialect, own) if one.default)


def with_controls(quirks: "Quirks", controls: "tuple[Control, ...]") -> "Quirks":
    """The quirks of a call that sends these controls in its body."""
    body: dict[str, Json] = dict(quirks.extra_body)
    for one in controls:
        if one.body is not None:
            _put(body, one.body.split("."), one.value)
    return replace(quirks, extra_body=body) if body != quirks.extra_body else quirks


def _put(table: dict[str, Json], path: list[str], value: Json) -> None:
    first, *rest = path
    if not rest:
        table[first] = value
        return
    below = table.get(first)
    table[first] = dict(below) if isinstance(below, Mapping) else {}
    _put(table[first], rest, value)


def headers(controls: "tuple[Control, ...]") -> dict[str, str]:
    return {one.header: str(one.value) for one in controls if one.header is not None}


def in_request(
    controls: "Iterable[Control]", http: "HttpCall", headers: Mapping[str, str]
) -> tuple[str, ...]:
    """The names of those that a request really has, `headers` being those of its target."""
    there = {name.lower(): value for name, value in (*headers.items(), *http.headers.items())}
    return among(controls, Sent(body=http.body, headers=there))


def among(controls: "Iterable[Control]", sent: Sent) -> tuple[str, ...]:
    """The names of those that stand in what is sent, whatever card it was made by."""
    there = {name.lower(): value for name, value in sent.headers.items()}
    return tuple(
        one.name
        for one in controls
        if (one.header is not None and there.get(one.header.lower()) == str(one.value))
        or (one.body is not None and _same(_at(sent.body, one.body.split(".")), one.value))
    )


def carrying(controls: "Iterable[Control]", onto: Sent | None = None) -> Sent:
    """What stands in a request with these controls in it, beside all that stands there already."""
    onto, controls = onto or Sent(), tuple(controls)
    body = dict(onto.body) if isinstance(onto.body, Mapping) else {}
    for one in controls:
        if one.body is not None:
            _put(body, one.body.split("."), one.value)
    names = dict.fromkeys((*onto.controls, *(one.name for one in controls)))
    return replace(
        onto, controls=tuple(names), body=body, headers={**onto.headers, **headers(controls)}
    )


def _at(body: Json, path: list[str]) -> Json:
    for name in path:
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def _same(one: Json, other: Json) -> bool:
    return type(one) is type(other) and bool(one == other)


def picture_hosts(call: "Call") -> tuple[str, ...]:
    """The hosts that a provider fetches pictures and documents of a call from."""
    urls = [one.url for one in files_of(call) if one.url is not None]
    if not urls:
        return ()
    from urllib.parse import urlsplit

    return tuple(dict.fromkeys(
        urlsplit(url).hostname or url[:40] for url in urls if not url.startswith("data:")
    ))  # fmt: skip
