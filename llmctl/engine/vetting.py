"""The verdict on a call as it is really sent, after that on the provider alone."""

from llmctl import catalogue
from llmctl.dialects.media import files_of
from llmctl.engine.resolve import refusal
from llmctl.engine.route import Route
from llmctl.engine.vetted_before import place_of
from llmctl.errors import LlmctlError, PrivacyRefused
from llmctl.messages import _
from llmctl.privacy.controls import Sent, in_request, picture_hosts
from llmctl.privacy.policy import judge
from llmctl.privacy.screening import Screened
from llmctl.settings import Loaded, ProviderSettings
from llmctl.types import Verdict
from llmctl.values import replace


def vetted(route: Route, screened: Screened, loaded: Loaded) -> Route:
    """The route with the verdict on what stands in the request; raises PrivacyRefused where policy
    forbids it. Nothing is sent."""
    place = place_of(route, loaded)
    sent = really_sent(route, screened, loaded)
    kind = place.kind(sent)
    if (before := place.before(kind)) is not None:
        return before
    verdict = _judged(route, sent, loaded, elsewhere=route.passed_on)
    if not verdict.allowed:
        if sent.hosts:
            _refuse_addresses(route, sent, loaded, verdict)
        raise refusal(
            route.card,
            route.model_card,
            catalogue.base_url(route.card, _own(route, loaded)),
            loaded,
            verdict,
            elsewhere=route.passed_on,
            sent=sent,
        )
    elsewhere = route.elsewhere and _judged(route, sent, loaded, elsewhere=True)
    return place.keep(kind, replace(route, verdict=verdict, elsewhere=elsewhere))


def _refuse_addresses(route: Route, sent: Sent, loaded: Loaded, verdict: Verdict) -> None:
    """Raises PrivacyRefused where only what is fetched from elsewhere keeps a call from going."""
    bare = _judged(route, replace(sent, hosts=()), loaded, elsewhere=route.passed_on)
    if bare.allowed:
        raise PrivacyRefused(
            _("policy forbids to have files fetched from {hosts}: {reasons}",
              hosts=", ".join(sent.hosts), reasons="; ".join(verdict.reasons)),
            hint=_("add --fetch, and llmctl gets it from there and sends it"),
            provider=route.provider,
            details={"rules": verdict.broken},
        )  # fmt: skip


def really_sent(route: Route, screened: Screened, loaded: Loaded) -> Sent:
    """What of a request matters for privacy, read from the request itself."""
    call = screened.call
    found = [(kind, count) for kind, count in screened.left.items() if kind != "secret"]
    if loaded.settings.policy.pii_regions and (unread := len(files_of(call))):
        found.append(("unsearched", unread))  # there may be some in what only people can read
    personal = tuple(found)
    hosts = picture_hosts(call)
    if route.card.kind == "embedded":
        return Sent(personal=personal, hosts=hosts)
    try:
        http = route.dialect.encode(call, route.quirks)
    except LlmctlError:  # then nothing is sent: the call ends with the same error
        return Sent(personal=personal, hosts=hosts)
    key = route.card.auth.header.lower()
    every = {**route.target.headers, **http.headers}
    return Sent(
        controls=in_request(place_of(route, loaded).possible, http, route.target.headers),
        body=http.body,
        headers={name: value for name, value in every.items() if name.lower() != key},
        hosts=hosts,
        personal=personal,
        features=frozenset() if route.mode is None else frozenset({route.mode}),
    )


def _judged(route: Route, sent: Sent, loaded: Loaded, *, elsewhere: bool) -> Verdict:
    return judge(
        route.card,
        route.model_card,
        base_url=catalogue.base_url(route.card, _own(route, loaded)),
        loaded=loaded,
        elsewhere=elsewhere,
        sent=sent,
    )


def _own(route: Route, loaded: Loaded) -> ProviderSettings:
    return loaded.settings.providers.get(route.provider, ProviderSettings())
