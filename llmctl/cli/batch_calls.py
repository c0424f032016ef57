"""Rows to calls: what the flags say of all of them, and each row of itself."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from llmctl.batch.messages import messages_of
from llmctl.batch.work import Made
from llmctl.cli.asked import make_call
from llmctl.cli.batch_asked import BatchAsked
from llmctl.cli.batch_fields import list_of, object_of, response_schema, split, without_lora
from llmctl.cli.flags import pairs
from llmctl.cli.stdin import Prompt
from llmctl.dialects import OWN_FIELDS
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.errors import ConfigError, LlmctlError, NotFound, UsageError
from llmctl.messages import _
from llmctl.rows import BadText, Row, column_of, text_of
from llmctl.templates.shape import Rendered
from llmctl.types import Chat, Complete, Fill, Json, Media, Message, Role, Text
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.output.terminal import Terminal
    from llmctl.settings import Loaded
    from llmctl.templates import Template

ATTACHMENTS = "attachments"
LONGEST_NAME = 200  # characters of a model's; it is shown in lists


class Maker:
    """Makes the calls of one job. What holds for all rows is found out once, and raises what any
    other call would: UsageError, NotFound, PrivacyRefused, AuthFailed, ConfigError."""

    def __init__(self, asked: BatchAsked, loaded: "Loaded", terminal: "Terminal") -> None:
        self._asked = replace(asked, no_stream=True)
        self._loaded = loaded
        self._terminal = terminal
        self._params = pairs(asked.param, "-p")
        self._template = _template(asked, loaded)
        if self._template is not None and self._params:
            self._template.check(self._params)
        self._schema = _schema(asked)
        self._attached = _attached(asked, loaded)
        self._routes: dict[str, Route | LlmctlError] = {}
        self._schemas: dict[str, Mapping[str, Json]] = {}
        self._plains: dict[int, Chat | Complete | Fill] = {}
        template = self._template
        name = asked.model or (template.model if template else None)
        self.model = name or loaded.settings.defaults.model or ""

    @property
    def template(self) -> "Template | None":
        return self._template

    @property
    def schema(self) -> Mapping[str, Json] | None:
        """Of all rows that have none of their own."""
        return self._schema or (self._template.schema if self._template else None)

    def route(self, name: str) -> Route:
        """Where a model is asked; raises what keeps it from that, the same each time."""
        found = self._routes.get(name)
        if found is None:
            try:
                found = self._found(name)
            except LlmctlError as error:
                found = error
            self._routes[name] = found
        if isinstance(found, LlmctlError):
            raise found
        return found

    def _found(self, name: str) -> Route:
        from llmctl.cli.able import refuse_vectors
        from llmctl.cli.adapters import with_adapters
        from llmctl.cli.flags import request_fields
        from llmctl.cli.one import with_weights

        asked = self._asked
        route = resolve(name, self._loaded, shown=asked.dry_run)
        probe = Chat(model=route.model, messages=(), options=request_fields(asked.option))
        refuse_vectors(route, probe)
        if "lora" in probe.options:
            route = with_adapters(route, probe)[0]
        if asked.dry_run or route.card.kind != "embedded":
            return route
        from llmctl.engine.parallel import suggested_lanes, with_parallel

        route = with_weights(route, self._loaded, self._terminal, asked)
        return with_parallel(route, asked.concurrency or suggested_lanes(route))

    def make(self, row: Row) -> Made:
        """Raises UsageError for a row that makes no call, and what its own model may lead to."""
        values = row.values
        own = values.get("model")
        if own is not None and not (isinstance(own, str) and 0 < len(own.strip()) <= LONGEST_NAME):
            raise UsageError(_("model is no name of a model"))
        if not (own or self.model):
            raise UsageError(
                _("which model is to answer?"), hint=_("name it with -m, or in the column model")
            )
        route = self.route(own or self.model)
        try:
            call = self._call(row, route)
        except (BadText, ConfigError, NotFound) as bad:
            raise UsageError(str(bad), hint=getattr(bad, "hint", None)) from None
        return Made(route=route, call=call, named=bool(own))

    def _call(self, row: Row, route: Route) -> Chat | Complete | Fill:
        values, asked = row.values, self._asked
        system = values.get("system")
        if system is not None and not isinstance(system, str):
            raise UsageError(_("{name} is no text", name="system"))
        if system:
            asked = replace(asked, system=system)
        knobs, options = split(object_of(values.get("options"), "options"))
        asked = replace(asked, **knobs) if knobs else asked
        asked_for = response_schema(options)
        schema = self._own_schema(values.get("schema")) or asked_for
        attached = (*self._attached, *self._files(values))
        if self._template is None and "messages" in values and asked.column is None:
            call = self._said(
                asked, messages_of(list_of(values["messages"])), attached, schema, route
            )
        else:
            call = self._typed(row, asked, attached, schema, route)
        if own := next((name for name in options if name in OWN_FIELDS), None):
            raise UsageError(_("{name} is no option: it is what the call itself says", name=own))
        call = without_lora(call)
        return replace(call, options={**call.options, **options}) if options else call

    def _typed(
        self,
        row: Row,
        asked: BatchAsked,
        attached: tuple[Text | Media, ...],
        schema: Mapping[str, Json] | None,
        route: Route,
    ) -> Chat | Complete | Fill:
        """The text of a row, or what the template makes of its columns."""
        if self._template is None:
            prompt = Prompt(text_of(row, asked.column), None)
            match plain := self._plain(asked, schema, route):
                case Chat():
                    said = Message(Role.USER, (*attached, Text(prompt.text())))
                    return replace(plain, messages=(*plain.messages[:-1], said))
                case Complete():
                    return replace(plain, prompt=prompt.text())
                case Fill():
                    return self._made(asked, prompt, schema, route)
        prompt = Prompt(_text(row, asked), None)
        rendered = self._template.render(
            self._params, prompt.input, columns=row.values, column=column_of(row, asked.column)
        )
        return self._made(asked, prompt, schema, route, rendered=rendered, attached=attached)

    def _plain(
        self, asked: BatchAsked, schema: Mapping[str, Json] | None, route: Route
    ) -> Chat | Complete | Fill:
        """The call but for its question; made once for all rows that say nothing of it."""
        common = asked is self._asked and schema is None
        if common and (known := self._plains.get(id(route))) is not None:
            return known  # a route lives as long as the job
        made = self._made(asked, Prompt("[MASK]" if asked.fill_mask else "x", None), schema, route)
        if common:
            self._plains[id(route)] = made
        return made

    def _made(
        self,
        asked: BatchAsked,
        prompt: Prompt,
        schema: Mapping[str, Json] | None,
        route: Route,
        *,
        rendered: Rendered | None = None,
        attached: tuple[Text | Media, ...] = (),
    ) -> Chat | Complete | Fill:
        return make_call(
            asked,
            prompt,
            self._loaded.settings,
            rendered=rendered,
            history=(),
            schema=schema or self.schema,
            attached=attached,
            model=route.model,
        )

    def _said(
        self,
        asked: BatchAsked,
        messages: tuple[Message, ...],
        attached: tuple[Text | Media, ...],
        schema: Mapping[str, Json] | None,
        route: Route,
    ) -> Chat | Complete | Fill:
        """A whole conversation, as a row has it."""
        if asked.complete or asked.fill_mask:
            raise UsageError(_("a row with messages is a conversation, and no text to go on with"))
        plain = self._plain(asked, schema, route)
        assert isinstance(plain, Chat)  # noqa: S101  neither of the others was asked for
        opening = plain.messages[:-1]
        if any(one.role is Role.SYSTEM for one in messages) and asked.system is None:
            opening = ()
        if opening:
            messages = tuple(one for one in messages if one.role is not Role.SYSTEM)
        if all(one.role is Role.SYSTEM for one in messages):
            raise UsageError(_("the messages have nothing that is to be answered"))
        if attached:
            *before, last = messages
            messages = (*before, replace(last, parts=(*attached, *last.parts)))
        return replace(plain, messages=(*opening, *messages))

    def _own_schema(self, value: Json) -> Mapping[str, Json] | None:
        if value in (None, ""):
            return None
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        if text not in self._schemas:
            from llmctl.engine.schema import valid_schema

            if len(self._schemas) > 1000:  # of rows that have one each
                self._schemas.clear()
            self._schemas[text] = valid_schema(object_of(value, "schema"))
        return self._schemas[text]

    def _files(self, values: Mapping[str, Json]) -> tuple[Text | Media, ...]:
        """What a row attaches. Only where the user says so: rows may come from anybody, and would
        name files that are nobody's business."""
        column = self._asked.attachments
        if column is None:
            if values.get(ATTACHMENTS):
                raise UsageError(
                    _("the row names files, and nobody has said that they may be sent"),
                    hint=_("if they may: --attachments {column}", column=ATTACHMENTS),
                )
            return ()
        if column not in values:
            raise UsageError(
                _("there is no column {name}; there are: {names}", name=column,
                  names=", ".join(values)[:200] or "-")
            )  # fmt: skip
        given = values[column]
        if given in (None, "", []):
            return ()
        names = given if isinstance(given, list) else [given]
        if not all(isinstance(one, str) and one not in ("", "-") for one in names):
            raise UsageError(_("{column} names no files", column=column))
        from llmctl.cli.attached import read_attached

        return read_attached(
            names,
            encoding=self._loaded.settings.output.encoding,
            quiet=True,
            as_type=self._asked.attachment_type,
        )


def _template(asked: BatchAsked, loaded: "Loaded") -> "Template | None":
    name = asked.template or loaded.settings.defaults.template
    if name is None:
        if asked.param:
            raise UsageError(_("-p sets a variable of a template; name the template with -t"))
        return None
    from llmctl import templates
    from llmctl.settings import paths

    if "{{" in name:
        return templates.Template(name="-t", prompt=name)
    return templates.load(name, templates.folders(paths().config))


def _schema(asked: BatchAsked) -> Mapping[str, Json] | None:
    if asked.schema is None:
        return None
    from llmctl.engine.schema import read_schema

    return read_schema(asked.schema)


def _attached(asked: BatchAsked, loaded: "Loaded") -> tuple[Text | Media, ...]:
    from llmctl.cli.one import with_attached

    if "-" in (asked.attachment or ()) and asked.source is None:
        raise UsageError(_("standard input can be read once only"), hint=_("name it once"))
    return with_attached(asked, loaded)


def _text(row: Row, asked: BatchAsked) -> str | None:
    """What `{{ input }}` stands for in a template: the text of the row, where it has one."""
    try:
        return text_of(row, asked.column)
    except BadText:
        if asked.column is not None:
            raise
        return None
