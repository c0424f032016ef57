"""JSON Schemas that answers must match: read, checked, and answers checked against them."""

import json
from collections.abc import Mapping
from pathlib import Path

from llmctl.errors import SchemaMismatch, UsageError
from llmctl.messages import _
from llmctl.types import Json

LONGEST_QUOTE = 120


def read_schema(given: str) -> Mapping[str, Json]:
    """The schema that `--schema` names: JSON text, or a file with it.

    Raises UsageError where it is neither, or no valid JSON Schema, or refers to another address:
    nothing is fetched.
    """
    text = given
    if not given.lstrip().startswith(("{", "[", '"')):
        try:
            text = Path(given).expanduser().read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else _("it is not UTF-8")
            raise UsageError(
                _("cannot read the schema {given}: {why}", given=given[:200], why=why),
                hint=_("--schema takes a file or JSON text"),
            ) from None
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            _("the schema is not JSON: {why}", why=error),
            hint=_("""such as: --schema '{"type": "object"}'"""),
        ) from None
    return valid_schema(schema)


def valid_schema(schema: Json) -> Mapping[str, Json]:
    """`schema` if it is a valid JSON Schema of objects; raises UsageError with the place if not."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    if not isinstance(schema, dict):
        raise UsageError(
            _("a schema must be a JSON object"),
            hint=_("""such as: --schema '{"type": "object"}'"""),
        )
    _refuse_distant(schema)
    kind = validator_for(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise UsageError(
            _("this is not a valid JSON Schema, at {place}: {why}",
              place=error.json_path, why=error.message[:LONGEST_QUOTE]),
            hint=_("""such as: --schema '{"type": "object"}'"""),
        ) from None  # fmt: skip
    except RecursionError:
        raise UsageError(_("the schema is nested too deeply")) from None
    return schema


def _refuse_distant(schema: Json) -> None:
    """References to anywhere but the schema itself would have to be fetched."""
    pending = [schema]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                raise UsageError(
                    _("the schema refers to {reference}, which is not fetched",
                      reference=reference[:LONGEST_QUOTE]),
                    hint=_("put it under $defs and refer to #/$defs/NAME"),
                )  # fmt: skip
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def check_answer(schema: Mapping[str, Json], text: str) -> Json:
    """The answer's JSON; raises SchemaMismatch naming the place and the reason."""
    from jsonschema.exceptions import best_match
    from jsonschema.validators import validator_for

    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise SchemaMismatch(
            _("the answer is not JSON: {start}", start=repr(text.strip()[:60])),
            hint=_("ask once more with --repair, or ask another model"),
            reason="not-json",
        ) from None
    validator = validator_for(schema)(schema)
    try:
        error = best_match(validator.iter_errors(answer))
    except RecursionError:
        raise SchemaMismatch(_("the answer is nested too deeply"), reason="depth") from None
    if error is not None:
        raise SchemaMismatch(
            _("the answer does not match the schema at {place}: {why}",
              place=error.json_path, why=error.message[:LONGEST_QUOTE]),
            hint=_("ask once more with --repair, or ask another model"),
            reason=str(error.validator),
        )  # fmt: skip
    return answer


def repair_prompt(schema: Mapping[str, Json], error: SchemaMismatch) -> str:
    """What the model is told after an answer that missed the schema. English whatever the user's
    language: models follow it best."""
    return (
        f"That answer cannot be used: {error.message}. Answer again with one JSON value that"
        f" matches this JSON Schema, and with nothing before or after it:\n{json.dumps(schema)}"
    )
