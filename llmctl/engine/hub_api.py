"""What the Hugging Face Hub says of models: one document, or a list over many pages.

The search words and the name of a model go to the Hub, and the token to the Hub alone: a next page
at another host is not asked for.
"""

import json
import re
from collections.abc import AsyncIterator, Iterable
from urllib.parse import quote, urlencode

from llmctl.engine.hub import PROVIDER, dialling, endpoint, key_header
from llmctl.errors import AuthFailed, LlmctlError, NotFound, ProviderFailed, UsageError
from llmctl.messages import _
from llmctl.settings import Settings
from llmctl.types import Json

LIMIT_BYTES = 32 << 20
MOST_PAGES = 200
MOST_FILES = 100_000  # of one repository
GATED = "gated"
SECONDS = 30.0  # between two pieces of an answer
REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}", re.ASCII)

Query = Iterable[tuple[str, str]]


def is_repo(name: str) -> bool:
    """Whether the Hub could have a repository of this name."""
    return bool(REPO.fullmatch(name)) and ".." not in name and not name.endswith((".git", "."))


def refuse_no_repo(name: str) -> None:
    """Raises UsageError for what cannot be the name of a repository."""
    if not is_repo(name):
        raise UsageError(
            _("{name} is no name of a repository on the Hub", name=name),
            hint=_("it has this form: ORG/NAME; search: llmctl models list huggingface --search"
                   " WORDS"),
        )  # fmt: skip


async def model(repo: str, facts: Iterable[str], settings: Settings) -> Json:
    """What the Hub says of one model, as far as `facts` name it. Raises NotFound for one that there
    is not, or that this token may not know of."""
    refuse_no_repo(repo)
    query = [("expand[]", one) for one in facts]
    async for answer in pages(f"api/models/{repo}", query, settings, about=repo):
        if isinstance(answer, dict):
            return answer
        break
    raise _odd(repo)


async def tree(repo: str, revision: str, settings: Settings) -> list[Json]:
    """The files of a model at a revision, as the Hub lists them."""
    refuse_no_repo(repo)
    path = f"api/models/{repo}/tree/{quote(revision, safe='')}"
    found: list[Json] = []
    async for answer in pages(path, [("recursive", "true")], settings, about=repo):
        if not isinstance(answer, list):
            raise _odd(repo)
        found += answer
        if len(found) > MOST_FILES:
            raise ProviderFailed(
                _("{repo} has more than {count} files", repo=repo, count=MOST_FILES),
                reason="too-many",
                retryable=False,
                provider=PROVIDER,
            )
    return found


async def pages(
    path: str, query: Query, settings: Settings, *, about: str | None = None
) -> AsyncIterator[Json]:
    """The pages of a list, each asked for when it is wanted. `about` is the repository that is
    asked about. Raises ProviderFailed for a list that leads to another host or in a circle, and
    what connections raise."""
    from llmctl.transport.download import Source, origin

    root = endpoint(settings)
    text = urlencode(list(query))
    url: str | None = f"{root}/{path}{'?' if text else ''}{text}"
    how, headers = dialling(settings), key_header(settings)
    asked: set[str] = set()
    while url is not None:
        if url in asked or len(asked) == MOST_PAGES:
            raise ProviderFailed(
                _("the Hub's list has no end: page {count} leads back to one that was here",
                  count=len(asked)),
                reason="repeated-page",
                retryable=False,
                provider=PROVIDER,
            )  # fmt: skip
        if origin(url) != origin(f"{root}/"):
            raise ProviderFailed(
                _("the Hub's next page is at another host, which was not asked"),
                reason="redirect",
                retryable=False,
                provider=PROVIDER,
            )
        asked.add(url)
        source = Source(url, how, headers, idle_timeout=SECONDS)
        try:
            body, url = await source.page(LIMIT_BYTES)
        except (AuthFailed, NotFound) as error:
            raise _explained(error, about, settings) from None
        yield _parsed(body)


def _parsed(body: bytes) -> Json:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderFailed(
            _("the Hub's answer is not JSON: {start}", start=repr(body[:60])[1:]),
            reason="not-json",
            provider=PROVIDER,
        ) from None


def _odd(repo: str) -> ProviderFailed:
    return ProviderFailed(
        _("the Hub's answer about {repo} is none", repo=repo), reason="no-answer", provider=PROVIDER
    )


def _explained(error: LlmctlError, repo: str | None, settings: Settings) -> LlmctlError:
    """The error of a question about a repository, with what to do about it."""
    if isinstance(error, AuthFailed):
        if repo is None:
            error.hint = wrong_token()
            return error
        if error.reason == GATED or error.status == 403 or key_header(settings):
            return not_let_in(repo, error, settings)
    return error if repo is None else missing(repo, has_token=bool(key_header(settings)))


def not_let_in(repo: str, error: AuthFailed, settings: Settings) -> AuthFailed:
    """The error for a repository that there is, and that does not let us in: a token that is none,
    else terms that are to be accepted."""
    if error.reason != GATED and error.status == 401 and key_header(settings):
        error.hint = wrong_token()
        return error
    return gated(repo, endpoint(settings), error)


def wrong_token() -> str:
    return _("store the right token (llmctl keys set huggingface), or unset HF_TOKEN")


def missing(repo: str, *, has_token: bool) -> NotFound:
    """The error for a repository that there is not, as far as the Hub tells."""
    word = repo.rpartition("/")[2]
    search = _("search for it: llmctl models list huggingface --search {word}", word=word)
    return NotFound(
        _("the Hub has no model {repo}, or not for everybody", repo=repo)
        if not has_token
        else _("the Hub has no model {repo} that this token may see", repo=repo),
        hint=search,
        provider=PROVIDER,
    )


def gated(repo: str, root: str, error: LlmctlError) -> AuthFailed:
    """The error for a model whose terms are to be accepted first."""
    return AuthFailed(
        _("{repo} is gated: its makers want its terms accepted first", repo=repo),
        hint=_("accept them at {page}, then set HF_TOKEN to a token of that account (or: llmctl"
               " keys set huggingface)", page=f"{root}/{repo}"),
        reason=GATED,
        status=error.status,
        host=error.host,
        provider=PROVIDER,
    )  # fmt: skip
