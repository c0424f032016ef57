"""What one `llmctl ask` was asked for: its flags as a value, and the call they make."""

from collections.abc import Mapping

from llmctl.cli.flags import Flags, first, pairs, request_fields
from llmctl.cli.stdin import Prompt
from llmctl.dialects import OWN_FIELDS
from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.output.choose import refuse_two
from llmctl.settings import Settings
from llmctl.templates.shape import Rendered
from llmctl.types import Chat, Complete, Fill, Json, Media, Message, Role, Text, message
from llmctl.values import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Flags):
    """Field by field the options of `ask` (see options.py); None and False mean not given."""

    prompt: str | None = None
    system: str | None = None
    template: str | None = None
    param: list[str] | None = None
    extract: bool = False
    continue_: bool = False
    cid: str | None = None
    usage: bool = False
    schema: str | None = None
    repair: bool = False
    max_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    stop: list[str] | None = None
    complete: bool = False
    no_stream: bool = False
    events: bool = False
    attachment: list[str] | None = None
    attachment_type: str | None = None
    fetch: bool = False
    keep: bool = False
    fill_mask: bool = False
    no_stdin: bool = False

    def check(self) -> None:
        Flags.check(self)
        pairs(self.param, "-p")
        refuse_two(self.json + self.events + self.extract)
        about_files = {"--attachment-type": self.attachment_type is not None}
        if not (self.continue_ or self.cid):  # earlier turns may have files, too
            about_files |= {"--fetch": self.fetch, "--keep": self.keep}
        if not self.attachment and (flag := next(filter(about_files.get, about_files), None)):
            raise UsageError(_("{flag} is about attached files; attach one with -a", flag=flag))
        if self.fill_mask:
            from llmctl.cli.filling import refuse_flags

            refuse_flags(self)
        files = self.attachment[0] if self.attachment else None
        chat_only = {
            "-t": self.template, "-s": self.system, "--schema": self.schema, "-a": files,
        }  # fmt: skip
        if self.complete and (flag := next((one for one in chat_only if chat_only[one]), None)):
            raise UsageError(
                _("--complete continues a text; it has no use for {flag}", flag=flag),
                hint=_("leave one of the two out"),
            )


def make_call(
    asked: Asked,
    prompt: Prompt,
    settings: Settings,
    *,
    rendered: Rendered | None,
    history: tuple[Message, ...],
    schema: Mapping[str, Json] | None,
    model: str,
    attached: tuple[Text | Media, ...] = (),
) -> Chat | Complete | Fill:
    """The call that the flags, the template, the settings and the conversation so far make."""
    defaults = settings.defaults
    options = {
        **defaults.options,
        **(rendered.options if rendered else {}),
        **request_fields(asked.option),
    }
    if own_field := next((name for name in options if name in OWN_FIELDS), None):
        raise UsageError(
            _("{name} is no option: it is what the call itself says", name=own_field),
            hint=_("the model is given with -m, instructions with -s, the prompt as an argument"),
        )
    if asked.fill_mask:
        from llmctl.cli.filling import fill_call

        return fill_call(prompt, model, options)
    own = rendered or Rendered(system=None, messages=())
    max_tokens = first(asked.max_tokens, own.max_tokens, defaults.max_tokens)
    temperature = first(asked.temperature, own.temperature, defaults.temperature)
    seed = first(asked.seed, defaults.seed)
    stop = tuple(asked.stop or ())
    if asked.complete:
        return Complete(
            model, prompt.text(), max_tokens, temperature, seed, stop, not asked.no_stream, options
        )
    asked_now = rendered.messages if rendered else with_files(prompt, attached)
    if rendered and attached:
        *before, last = rendered.messages
        asked_now = (*before, replace(last, parts=(*attached, *last.parts)))
    if asked.system is not None:  # said now, so it holds instead of what was said before
        history = tuple(one for one in history if one.role is not Role.SYSTEM)
    system = first(asked.system, own.system, defaults.system)
    opening: tuple[Message, ...] = ()
    if system and not any(one.role is Role.SYSTEM for one in history):
        opening = (message(Role.SYSTEM, system),)
    return Chat(
        model=model,
        messages=(*opening, *history, *asked_now),
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
        stop=stop,
        schema=schema,
        stream=not asked.no_stream,
        options=options,
    )


def with_files(prompt: Prompt, attached: tuple[Text | Media, ...]) -> tuple[Message, ...]:
    """The prompt as a message, the files before it; files of text alone are a prompt, too."""
    if not (prompt.input or prompt.argument) and any(isinstance(one, Text) for one in attached):
        *before, last = attached
        if isinstance(last, Text):
            last = replace(last, text=last.text.rstrip("\n"))
        return (Message(Role.USER, (*before, last)),)
    return (Message(Role.USER, (*attached, Text(prompt.text()))),)
