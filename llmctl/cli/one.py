"""One prompt from its flags to its answer: settings, call, route, renderer, ledger."""

from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.cli.asked import Asked, make_call
from llmctl.cli.flags import Flags, pairs
from llmctl.cli.kept import kept_by, open_ledger
from llmctl.cli.loop import run_async
from llmctl.cli.stdin import Prompt, joined
from llmctl.dialects.media import files_of
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.errors import (
    BudgetRefused,
    IoFailed,
    LlmctlError,
    PipeClosed,
    PrivacyRefused,
    Stopped,
    UsageError,
)
from llmctl.messages import _
from llmctl.output.choose import Renderer, renderer
from llmctl.output.streams import err
from llmctl.output.terminal import Terminal, detect
from llmctl.settings.places import project_name
from llmctl.transport.target import EMBEDDED
from llmctl.types import (
    Call,
    Chat,
    Complete,
    Fill,
    Json,
    Media,
    Message,
    Receipt,
    Text,
)
from llmctl.values import dataclass, replace

if TYPE_CHECKING:
    from llmctl.engine.clearance import Cleared
    from llmctl.settings import Loaded


@dataclass(frozen=True, slots=True)
class Asking:
    """What is the same for every try at one prompt."""

    asked: Asked
    loaded: "Loaded"
    terminal: Terminal
    route: Route


def answer(asked: Asked) -> None:
    """Do what was asked; raises LlmctlError for whatever keeps it from being done."""
    try:
        error = answered(asked)
    except (LlmctlError, Stopped) as early:
        if asked.json or asked.events:
            from llmctl.cli.refused import show_refused

            show_refused(
                early.error if isinstance(early, Stopped) else early,
                json=asked.json,
                events=asked.events,
                model=asked.model,
                output=asked.output,
                encoding=asked.encoding,
            )
        raise
    if error is not None:
        raise error


def answered(asked: Asked) -> LlmctlError | None:
    """The error that the renderer has shown as the end of the answer, None for a success; raises
    LlmctlError for one that came before anything was sent."""
    asked.check()
    terminal = detect(no_color=asked.no_color)
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    encoding = loaded.settings.output.encoding
    attached = with_attached(asked, loaded)
    prompt = joined(
        asked.prompt,
        read=not asked.no_stdin and "-" not in (asked.attachment or ()),
        encoding=encoding,
        quiet=asked.quiet,
    )
    call, conversation = prepared(asked, prompt, loaded, attached)
    from llmctl.cli.default_model import choose

    name = call.model or choose(loaded, terminal, may_ask=not (asked.no_input or asked.dry_run))
    route = resolve(name, loaded, shown=asked.dry_run)
    call = replace(call, model=route.model)
    if "lora" in call.options:
        from llmctl.cli.adapters import with_adapters

        route, call = with_adapters(route, call)
    if route.model_card is not None and route.model_card.kind == "embedding":
        from llmctl.cli.able import refuse_vectors

        refuse_vectors(route, call)
    if not isinstance(call, Chat):
        from llmctl.cli.able import refuse_unable

        refuse_unable(route, call, loaded)
    elif files_of(call):
        from llmctl.cli.fetched import settled

        call = settled(route, call, asked, loaded)
    if asked.dry_run:
        from llmctl.cli.dry_run import print_body

        print_body(route, call, loaded, quiet=asked.quiet)
        return None
    route = with_weights(route, loaded, terminal, asked)
    return send(Asking(asked, loaded, terminal, route), call, conversation)


def with_attached(asked: Asked, loaded: "Loaded") -> tuple[Text | Media, ...]:
    """The attached files, text as text."""
    if not asked.attachment:
        return ()
    from llmctl.cli.attached import read_attached, refuse_stdin_twice

    refuse_stdin_twice(asked.attachment, asked.prompt, no_stdin=asked.no_stdin)
    return read_attached(
        asked.attachment,
        encoding=loaded.settings.output.encoding,
        quiet=asked.quiet,
        as_type=asked.attachment_type,
        fetch=asked.fetch,
        timeout=loaded.settings.network.timeout,
    )


def prepared(
    asked: Asked, prompt: Prompt, loaded: "Loaded", attached: tuple[Text | Media, ...] = ()
) -> tuple[Chat | Complete | Fill, str | None]:
    """The call, its model still as named (empty for the default), and the conversation it is
    part of."""
    own = loaded.settings
    rendered = None
    if name := asked.template or (None if asked.fill_mask else own.defaults.template):
        from llmctl import templates

        found = templates.load(name, templates.folders(settings.paths().config))
        rendered = found.render(pairs(asked.param, "-p"), prompt.input, prompt=prompt.argument)
    elif asked.param:
        raise UsageError(_("-p sets a variable of a template; name the template with -t"))
    schema: Json = rendered.schema if rendered else None
    if asked.schema is not None:
        from llmctl.engine.schema import read_schema

        schema = read_schema(asked.schema)
    history, conversation, model_before = continued(asked)
    call = make_call(
        asked,
        prompt,
        own,
        rendered=rendered,
        history=history,
        schema=schema,
        attached=attached,
        model=asked.model
        or (rendered and rendered.model)
        or model_before
        or own.defaults.model
        or "",
    )
    return call, conversation


def continued(asked: Asked) -> tuple[tuple[Message, ...], str | None, str | None]:
    """The messages so far, the conversation's id and its model, for -c and --cid: what was said to
    one provider does not go to another unless that one is named."""
    if not (asked.continue_ or asked.cid):
        return (), None, None
    if asked.complete:
        raise UsageError(_("--complete continues a text, not a conversation"))
    with open_ledger() as ledger:
        conversation = asked.cid or ledger.last_conversation()
        if conversation is None:
            raise UsageError(
                _("there is no conversation to continue yet"), hint=_("ask without -c first")
            )
        return ledger.messages(conversation), conversation, ledger.last_model(conversation)


def with_weights(route: Route, loaded: "Loaded", terminal: Terminal, asked: Flags) -> Route:
    """The route with the model's file in its target, pulled first where that is allowed."""
    if route.card.kind != "embedded":
        return route
    from llmctl.cli.first_pull import ready

    path = ready(
        route,
        loaded,
        may_ask=terminal.stdin_is_tty and not asked.no_input,
        quiet=asked.quiet,
    )
    options = {**embedded_options(route, loaded.settings.local), **route.target.options}
    target = replace(route.target, base_url=f"{EMBEDDED}{path}", options=options)
    return replace(route, target=target)


def embedded_options(route: Route, own: "settings.Embedded") -> dict[str, Json]:
    """How the embedded model is loaded, what is not known left out."""
    from llmctl.cli.adapters import adapters

    card = route.model_card
    options = {
        "name": card.id if card else None,
        "context": own.context,
        "longest": card.context if card else None,
        "threads": own.threads,
        "engine": card.weights.engine if card and card.weights else None,
        "lora": adapters(own.lora) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def send(
    asking: Asking, call: Chat | Complete | Fill, conversation: str | None
) -> LlmctlError | None:
    """Send the call and show its answer; once more with --repair when the schema is missed, and
    when a model has another sign for a gap. The error that ended it, already shown as far as the
    renderer shows it."""
    from llmctl.cli.attempt import attempt, once_more, shortened
    from llmctl.cli.searched import cleared_patiently
    from llmctl.engine.attempt import given_back

    asked, route, own = asking.asked, asking.route, asking.loaded.settings
    ready = cleared_patiently(route, call, asking.loaded, quiet=asked.quiet)
    if ready.estimate is not None and ready.reservation is None:
        from llmctl.cli.costly import agreed

        agreed(ready.estimate, asking.terminal, may_ask=not asked.no_input, quiet=asked.quiet)
    try:
        show = make_renderer(asking, call)
    except BaseException:
        given_back(ready)
        raise
    shown = restored(show, ready)
    receipt, error = run_async(attempt(ready, own, shown, quiet=asked.quiet, keep=asked.keep))
    if (mended := once_more(ready, receipt, error, repair=asked.repair)) is not None:
        (changed, told), spent = mended, ready.reservation
        run, earlier = spent.run if spent else None, ready.screened
        try:
            again = cleared_patiently(
                route, changed, asking.loaded, quiet=asked.quiet, run=run, earlier=earlier
            )
        except (BudgetRefused, PrivacyRefused) as refused:
            err(f"llmctl: {refused.message}\n")
        else:
            record(asking, receipt, ready, None)
            err(f"{told}\n")
            ready = again
            shown = restored(show, ready)
            receipt, error = run_async(
                attempt(ready, own, shown, quiet=asked.quiet, keep=asked.keep)
            )
    if error is not None and isinstance(call, Complete):
        from llmctl.cli.able import advise

        advise(error, call, asking.loaded)
    try:
        if error is None:
            shown.finish(receipt)
            if (note := shortened(ready.call, receipt)) and not asked.quiet:
                err(f"llmctl: {note}\n")
        elif not isinstance(error, PipeClosed):
            shown.fail(receipt)
    except (PipeClosed, IoFailed) as trouble:
        error = error or trouble
    record(asking, receipt, ready, conversation)
    return error


def restored(show: Renderer, ready: "Cleared") -> Renderer:
    """The renderer that shows what the placeholders of a call stand for: the answer in the ledger
    keeps them."""
    restorer = ready.screened.restorer()
    if restorer is None:
        return show
    from llmctl.engine.restoring import Restoring
    from llmctl.output.restored import Restored

    is_json = isinstance(ready.call, Chat) and ready.call.schema is not None
    return Restored(show, Restoring(restorer, is_json=is_json))


def make_renderer(asking: Asking, call: Chat | Complete | Fill) -> Renderer:
    asked, own = asking.asked, asking.loaded.settings
    show = renderer(
        json=asked.json,
        events=asked.events,
        extract=asked.extract,
        markdown=own.output.markdown and not isinstance(call, Fill),
        quiet=asked.quiet,
        receipt=own.output.receipt,
        schema=isinstance(call, Chat) and call.schema is not None,
        usage=asked.usage,
        output=asked.output,
        encoding=own.output.encoding,
        terminal=asking.terminal,
    )
    to_people = not (asked.json or asked.events or asked.output)
    if isinstance(call, Fill) and to_people and asking.terminal.stdout.is_tty:
        from llmctl.output.aligned import Aligned

        return Aligned(show)
    return show


def record(asking: Asking, receipt: Receipt, ready: "Cleared", conversation: str | None) -> None:
    """Keep the run of a conversation in the ledger, as it left."""
    keep(asking.asked, asking.loaded, receipt, ready.call, conversation or receipt.id)


def keep(
    asked: Flags,
    loaded: "Loaded",
    receipt: Receipt,
    call: Call,
    conversation: str | None = None,
) -> None:
    """Keep a run in the ledger; trouble there costs one line on stderr, never the answer. One
    without a `conversation` cannot be continued."""
    mode, by = kept_by(loaded)
    if mode == "off":
        return
    from llmctl.store.shape import MODE_BY

    with open_ledger(loaded) as ledger:
        names = {**tags(asked.tag), MODE_BY: by}
        warning = ledger.record(receipt, call, mode=mode, conversation=conversation, tags=names)
    if warning and not asked.quiet:
        err(f"llmctl: {warning}\n")


def tags(tag: str | None) -> dict[str, Json]:
    """The names under which `llmctl cost report` finds the run again."""
    names = {"tag": tag and tag.strip(), "project": project_name()}
    return {kind: name for kind, name in names.items() if name is not None}
