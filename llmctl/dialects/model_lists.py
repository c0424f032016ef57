"""What the lists of models say that have a shape of their own: Gemini's, Anthropic's, Ollama's."""

from collections.abc import Iterator

from llmctl.dialects import Frame, Listed, PullStep
from llmctl.dialects.look import at, int_at, parse, text_at
from llmctl.dialects.price_lists import day
from llmctl.errors import LlmctlError, NotFound, ProviderFailed
from llmctl.messages import _
from llmctl.types import Json

# How Ollama says that its library has no model of that name.
NOT_THERE = ("file does not exist", "not found")


def gemini(models: Json) -> Iterator[Listed]:
    """Entries of `models`. What is asked of a model is a method there, in the name of which its
    requests end."""
    for entry in models if isinstance(models, list) else ():
        if name := text_at(entry, "name"):
            methods = _texts(at(entry, "supportedGenerationMethods"))
            thinks = ("thinking",) if at(entry, "thinking") is True else ()
            yield Listed(
                name=name.removeprefix("models/"),
                context=int_at(entry, "inputTokenLimit"),
                output_limit=int_at(entry, "outputTokenLimit"),
                title=text_at(entry, "displayName"),
                capabilities=(*methods, *thinks),
            )


def anthropic(models: Json) -> Iterator[Listed]:
    """Entries of `data`; what a model can do is a table in which every capability has its own."""
    for entry in models if isinstance(models, list) else ():
        if name := text_at(entry, "id"):
            table = at(entry, "capabilities")
            yield Listed(
                name=name,
                context=int_at(entry, "max_input_tokens"),
                output_limit=int_at(entry, "max_tokens"),
                title=text_at(entry, "display_name"),
                retires=day(text_at(entry, "retires_at")),
                lifecycle=text_at(entry, "lifecycle"),
                capabilities=tuple(
                    one
                    for one, what in (table.items() if isinstance(table, dict) else ())
                    if at(what, "supported") is True
                ),
            )


def ollama(models: Json) -> Iterator[Listed]:
    """Entries of `models` of /api/tags."""
    for entry in models if isinstance(models, list) else ():
        if name := text_at(entry, "name") or text_at(entry, "model"):
            yield _ollama(name, entry)


def ollama_shown(answer: Json) -> Listed | None:
    """The answer of /api/show, which does not repeat the name. Its facts about the file stand
    beneath the name of the architecture."""
    if not isinstance(answer, dict):
        return None
    info = at(answer, "model_info")
    kind = text_at(info, "general.architecture")
    licence = text_at(info, "general.license")
    if licence is None and (text := (text_at(answer, "license") or "").strip()):
        licence = text.splitlines()[0].strip()
    context = int_at(info, f"{kind}.context_length")
    return _ollama("", answer, context=context, licence=licence)


def _ollama(
    name: str, entry: Json, *, context: int | None = None, licence: str | None = None
) -> Listed:
    details = at(entry, "details")
    return Listed(
        name=name,
        context=context or int_at(details, "context_length"),
        size=int_at(entry, "size"),
        parameters=text_at(details, "parameter_size") or None,
        quantisation=text_at(details, "quantization_level") or None,
        family=text_at(details, "family") or None,
        licence=licence,
        capabilities=_texts(at(entry, "capabilities")),
        elsewhere=text_at(entry, "remote_host") or text_at(entry, "remote_model") or None,
    )


def ollama_pulled(frame: Frame) -> PullStep:
    """A line of /api/pull. Raises NotFound for a model that there is not, ProviderFailed for
    whatever else goes wrong there."""
    answer = parse(frame.data)
    if said := text_at(answer, "error"):
        raise _failed(said)
    status = text_at(answer, "status") or ""
    return PullStep(
        status=status,
        digest=text_at(answer, "digest"),
        total=int_at(answer, "total"),
        completed=int_at(answer, "completed"),
        over=status == "success",
    )


def _failed(said: str) -> LlmctlError:
    text = _("the server could not fetch the model: {said}", said=said[:300])
    if any(sign in said for sign in NOT_THERE):
        return NotFound(text, hint=_("its library: https://ollama.com/library"))
    return ProviderFailed(text, reason="pull", hint=_("try it again; what has come is kept there"))


def _texts(value: Json) -> tuple[str, ...]:
    found = value if isinstance(value, list) else ()
    return tuple(one for one in found if isinstance(one, str))
