"""From a template and its variables to the messages of a call."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llmctl.errors import UsageError
from llmctl.messages import _
from llmctl.templates.render import Sandbox, render_text, variables_in
from llmctl.templates.shape import Rendered
from llmctl.types import Json, Role, message

if TYPE_CHECKING:
    from llmctl.templates.shape import Template


def rendered(
    template: "Template",
    values: Mapping[str, str],
    given: str | None,
    prompt: str | None,
    columns: Mapping[str, Json],
    column: str | None = None,
) -> Rendered:
    """The rendered template; raises UsageError for variables that are missing, unknown or outside
    their choices, and where nothing is left to ask."""
    used = _used(template)
    if given is None and "prompt" not in used:
        given, prompt = prompt, None
    bound = {**columns, **_defaults(template), **_chosen(template, values, used)}
    if given is not None:
        bound["input"] = given
    if prompt is not None:
        bound["prompt"] = prompt
    sandbox = Sandbox()

    def text(source: str) -> str:
        return render_text(source, bound, template, sandbox).strip()

    parts = [text(template.prompt)] if template.prompt else []
    parts += [
        one
        for name, one in (("prompt", prompt), ("input", given))
        if one is not None and name not in used and not (name == "input" and column in used)
    ]
    question = "\n\n".join(part for part in parts if part)
    if not question:
        raise UsageError(
            _("the template {template} leaves nothing to ask", template=template.name),
            hint=_("give it a PROMPT, or something on standard input"),
        )
    shots = [message(Role(one.role), text(one.text)) for one in template.messages]
    return Rendered(
        system=text(template.system) if template.system else None,
        messages=(*shots, message(Role.USER, question)),
        model=template.model,
        options=template.options,
        max_tokens=template.max_tokens,
        temperature=template.temperature,
        schema=template.schema,
    )


def check_values(template: "Template", values: Mapping[str, str]) -> None:
    """Raises UsageError for variables that the template does not have, or not with that value."""
    _chosen(template, values, _used(template))


def _used(template: "Template") -> set[str]:
    texts = [template.system or "", template.prompt or "", *(one.text for one in template.messages)]
    return set().union(*map(variables_in, texts))


def _defaults(template: "Template") -> dict[str, Json]:
    return {
        name: one.default for name, one in template.variables.items() if one.default is not None
    }


def _chosen(template: "Template", values: Mapping[str, str], used: set[str]) -> dict[str, Json]:
    for name, value in values.items():
        variable = template.variables.get(name)
        if variable is None and name not in used:
            known = ", ".join(sorted({*template.variables, *used} - {"input", "prompt"}))
            raise UsageError(
                _("the template {template} has no variable {name}", template=template.name,
                  name=name),
                hint=_("what it has: {names}", names=known or _("none")),
            )  # fmt: skip
        if variable is not None and variable.choices and value not in variable.choices:
            raise UsageError(
                _("{name} cannot be {value}", name=name, value=value),
                hint=_("choices: {choices}", choices=", ".join(variable.choices)),
            )
    return dict(values)
