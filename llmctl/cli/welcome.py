"""`llmctl` alone on a terminal: what there is, and the exact next command."""

from llmctl.messages import _


def welcome() -> None:
    """Print what was found on this machine and what to type next; nothing leaves the machine."""
    from llmctl import settings
    from llmctl.cli.default_model import embedded
    from llmctl.engine.survey import Found, survey
    from llmctl.output.streams import out
    from llmctl.output.terminal import safe_line

    loaded = settings.load()
    kinds = {"key": _("key"), "server": _("server"), "weights": _("local model")}

    def line(found: Found) -> str:
        return safe_line(f"  {kinds[found.kind]:<12} {found.name} ({found.detail})") + "\n"

    found = list(survey(loaded.settings))
    if found:
        out(_("Found on this machine:") + "\n" + "".join(map(line, found)) + "\n")
    model = loaded.settings.defaults.model
    if model is None:
        model = next((one.model for one in found if one.model), None) or embedded(loaded)
        set_it = _("No default model yet. Set one: llmctl models default {model}", model=model)
        out(safe_line(set_it) + "\n")
    model = safe_line(model)
    out(_('Ask something:  llmctl -m {model} "Why is the sky blue?"', model=model) + "\n")
    out(_("Everything else: llmctl --help") + "\n")
