"""The refusals of a screening: what was found, where, and which flag or file has the say. The
values themselves are never shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmctl import catalogue
from llmctl.errors import PrivacyRefused
from llmctl.messages import _
from llmctl.privacy.pieces import Place, said
from llmctl.settings import Loaded, Origin, Settings
from llmctl.settings.tighten import handled

if TYPE_CHECKING:
    from llmctl.privacy.searching import Hit, Wanted
    from llmctl.types import Media

MOST_NAMED = 3
# What stands in the names of secrets (`github-token`) as people write it; the names of providers
# stand in their cards.
WORDS = {"api": "API", "aws": "AWS", "github": "GitHub", "gitlab": "GitLab", "oauth": "OAuth",
         "npm": "npm", "pypi": "PyPI", "vk": "VK"}  # fmt: skip


def refuse_blocked(
    hits: "Sequence[Hit]", what: "Wanted", loaded: Loaded, *, is_local: bool
) -> None:
    """Raises PrivacyRefused where something was found that may not leave at all."""
    if what.secrets == "block":
        secrets = [hit for hit in hits if hit.finding.type == "secret" and hit.finding.severe]
        if secrets:
            raise _secrets_found(secrets, loaded, {hit.place for hit in hits_in_names(hits)})
    policy = loaded.settings.policy
    blocked: list[Hit] = []
    rule = "block"
    for hit in hits:
        how = None if hit.finding.type == "secret" else handled(policy, hit.finding.type)
        if how == "block" or (how == "local-only" and not is_local):
            blocked.append(hit)
            rule = how if len(blocked) == 1 else rule
    if blocked:
        raise _personal_found(blocked, rule, loaded)


def refuse_unnamed(loaded: Loaded) -> None:
    """Raises PrivacyRefused where a policy has a rule for people's names: what cannot be looked for
    must not be taken for not being there."""
    if "person" not in loaded.settings.policy.pii_by:
        return
    raise PrivacyRefused(
        _("policy has a rule for names of people, and what finds them is not installed ({place})",
          place=_origin(loaded, "person")),
        hint=_("install it: {command}", command="pip install 'llmctl-cli[pii]'"),
        reason="no-detector",
    )  # fmt: skip


def refuse_unsearched(files: "Sequence[Media]", loaded: Loaded, odd: set[str]) -> None:
    """Raises PrivacyRefused where a rule says what happens with what is found, and files would
    leave in which nothing can be found. Names in `odd` are themselves what must not be shown."""
    key = _demanding(loaded)
    if key is None or not files:
        return
    names = [
        one.media_type if one.name is None or one.name in odd else one.name
        for one in files[:MOST_NAMED]
    ]
    more = len(files) - len(names)
    shown = ", ".join(names)
    shown = _("{text} and {more} more", text=shown, more=more) if more else shown
    origin = loaded.origins.get(key, Origin("shipped"))
    stays = _("a model that stays here: llmctl models list local")
    hint = _("attach what it says as text; or ask {stays}", stays=stays)
    if origin.kind == "flag":
        hint = _("attach what it says as text, leave {flag} out, or ask {stays}", flag=origin.place,
                 stays=stays)  # fmt: skip
    raise PrivacyRefused(
        _("only text can be searched, and {origin} has it searched: {names}", origin=origin,
          names=shown),
        hint=hint,
        reason="not-searched",
    )  # fmt: skip


def _demanding(loaded: Loaded) -> str | None:
    """The key of a rule by which what is found may not leave as it is; that secrets are held back
    where nobody has said anything is none."""
    policy = loaded.settings.policy
    rules = {"policy.pii": policy.pii,
             **{f"policy.pii_by.{kind}": how for kind, how in policy.pii_by.items()}}  # fmt: skip
    for key, how in rules.items():
        if how not in (None, "allow", "warn"):
            return key
    said = loaded.origins.get("policy.secrets", Origin("shipped")).kind != "shipped"
    if policy.secrets == "redact" or (policy.secrets == "block" and said):
        return "policy.secrets"
    return None if loaded.settings.privacy.redact_names is None else "privacy.redact_names"


def hits_in_names(hits: "Sequence[Hit]") -> "list[Hit]":
    """Those that stand in the name of a file."""
    return [hit for hit in hits if hit.place.kind == "file" and hit.line == 0]


def spelt(name: str | None, settings: Settings) -> str:
    """A kind of secret (`openai-key`) in words."""
    match name:
        case None:
            return _("secret")
        case "pem":
            return _("PEM private key")
        case "jwt":
            return _("JSON web token")
        case "url-password":
            return _("password in a URL")
        case "authorization" | "basic-authorization":
            return _("authorization header")
        case _:
            maker, *rest = name.split("-")
            if maker in catalogue.provider_ids(settings):
                first = catalogue.card(maker, settings).name
            else:
                first = WORDS.get(maker, maker.capitalize())
            return " ".join((first, *(WORDS.get(word, word) for word in rest)))


def _secrets_found(hits: "Sequence[Hit]", loaded: Loaded, odd: set[Place]) -> PrivacyRefused:
    places = _places(
        hits, [spelt(hit.finding.name, loaded.settings) for hit in hits[:MOST_NAMED]], odd
    )
    origin = loaded.origins.get("policy.secrets", Origin("shipped"))
    is_mild = origin.kind in ("shipped", "flag")
    if is_mild:
        hint = _("send placeholders instead: --secrets redact; send them as they are: "
                 "--secrets allow")  # fmt: skip
    else:
        hint = _("take them out: a flag cannot loosen a policy")
    message = (
        _("there are secrets in what would be sent: {places}", places=places)
        if is_mild
        else _("policy forbids to send secrets ({origin}): {places}", origin=origin, places=places)
    )
    return PrivacyRefused(message, hint=hint, reason="secrets")


def _personal_found(hits: "Sequence[Hit]", rule: str, loaded: Loaded) -> PrivacyRefused:
    odd = {hit.place for hit in hits_in_names(hits)}
    places = _places(hits, [hit.finding.type for hit in hits], odd)
    origin = _origin(loaded, hits[0].finding.type)
    if rule == "block":
        message = _("policy forbids to send personal data ({origin}): {places}",
                    origin=origin, places=places)  # fmt: skip
        hint = _("take it out")
    else:
        message = _("policy keeps personal data on your own hardware ({origin}): {places}",
                    origin=origin, places=places)  # fmt: skip
        hint = _("a model that stays here: llmctl models list local")
    return PrivacyRefused(message, hint=hint, reason="personal-data")


def _places(hits: "Sequence[Hit]", names: Sequence[str], odd: set[Place]) -> str:
    """The first few with their places, and how many more there are. A file whose name is itself
    one of them is not named."""
    shown = []
    for hit, name in zip(hits[:MOST_NAMED], names, strict=False):
        place = hit.place
        if place in odd and hit.line != 0:
            place = Place("file", _("an attached file"))
        shown.append(_("{name} ({place})", name=name, place=said(place, hit.line)))
    text = ", ".join(shown)
    more = len(hits) - len(shown)
    return _("{text} and {more} more", text=text, more=more) if more else text


def _origin(loaded: Loaded, kind: str) -> Origin:
    keys = (f"policy.pii_by.{kind}", "policy.pii")
    return next((loaded.origins[key] for key in keys if key in loaded.origins), Origin("shipped"))
