"""One `llmctl image` from its flags to its files: the calls it takes, all cleared before the first
is sent, and what became of them as one receipt."""

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from llmctl import settings
from llmctl.cli.drawn import Drawn, amounting, in_all, recorded
from llmctl.cli.drawn_asked import DrawnAsked, no_model, refuse_blind
from llmctl.cli.flags import request_fields
from llmctl.cli.one import keep
from llmctl.cli.stdin import joined
from llmctl.engine.resolve import resolve
from llmctl.engine.route import Route
from llmctl.errors import Filtered, IoFailed, LlmctlError, PipeClosed, Stopped
from llmctl.messages import _
from llmctl.output import streams
from llmctl.output.picture_files import Album
from llmctl.output.pictures import Pictures
from llmctl.output.terminal import Terminal, detect
from llmctl.types import Image, Notice, Progress
from llmctl.values import replace

if TYPE_CHECKING:
    from llmctl.dialects import Drawing
    from llmctl.engine.clearance import Cleared
    from llmctl.settings import Loaded, Settings

# How long a provider may draw without a byte, where the user's settings say nothing of it.
PATIENCE_S = 300.0


def draw(asked: DrawnAsked) -> None:
    """Do what was asked; raises LlmctlError for whatever keeps it from being done."""
    try:
        error = drawn(asked)
    except (LlmctlError, Stopped) as early:
        if asked.json:
            from llmctl.cli.refused import show_refused

            show_refused(
                early.error if isinstance(early, Stopped) else early,
                json=True,
                events=False,
                model=asked.model,
                encoding=asked.encoding,
            )
        raise
    if error is not None:
        raise error


def drawn(asked: DrawnAsked) -> LlmctlError | None:
    """The error that the renderer has shown as the end, None for a success; raises LlmctlError for
    one that came before anything was sent."""
    asked.check()
    terminal = detect(no_color=asked.no_color)
    loaded = settings.load(asked.settings_flags(), asked.profile, asked.spelt())
    own = loaded.settings
    streams.use_encoding(own.output.encoding)
    prompt = joined(
        asked.prompt,
        read=not asked.no_stdin,
        encoding=own.output.encoding,
        quiet=asked.quiet,
        example='llmctl image "a red fox in the snow"',
    ).text()
    from llmctl.engine.placed import placed

    name = asked.model or own.defaults.model
    if name is None:
        raise no_model(loaded)
    refuse_blind(placed(name, loaded), loaded)
    route = patient(resolve(name, loaded, shown=asked.dry_run), loaded)
    way = route.dialect.drawing()
    assert way is not None  # noqa: S101  a format without one is refused above
    album = Album(asked.output, count=asked.count, force=asked.force)
    calls = calls_for(asked, prompt, route, way, album)
    if asked.dry_run:
        from llmctl.cli.dry_run import print_bodies

        readies = all_cleared(route, calls, loaded, quiet=asked.quiet)
        print_bodies(readies, quiet=asked.quiet)
        if len(calls) > 1 and not asked.quiet:
            streams.err(_("llmctl: {count} such requests would be sent", count=len(calls)) + "\n")
        return None
    album.check()
    readies = all_cleared(route, calls, loaded, quiet=asked.quiet)
    show = make_renderer(asked, album, own, terminal, prompt=readies[0].call)
    for note in unheeded(asked, route, way):
        show.event(note)
    return sent(asked, readies, loaded, show)


def patient(route: Route, loaded: "Loaded") -> Route:
    """The route with more time between two bytes than a text gets, unless the user has set that."""
    mine = loaded.settings.providers.get(route.provider)
    if loaded.origin("network.idle_timeout").kind != "shipped" or (mine and mine.idle_timeout):
        return route
    return replace(route, target=replace(route.target, idle_timeout=PATIENCE_S))


def calls_for(
    asked: DrawnAsked, prompt: str, route: Route, way: "Drawing", album: Album
) -> list[Image]:
    """One call for as many pictures as the format brings at once. Of several calls with a seed each
    has its own, one more than the one before: the same would draw the same."""
    implied = album.media_type if album.media_type in way.formats else None
    calls: list[Image] = []
    left = asked.count
    while left:
        count = min(left, way.at_once)
        left -= count
        calls.append(
            Image(
                route.model,
                prompt,
                count=count,
                size=asked.size,
                seed=None if asked.seed is None else asked.seed + len(calls),
                media_type=asked.media_type or implied,
                options=request_fields(asked.option),
            )
        )
    return calls


def all_cleared(
    route: Route, calls: Sequence[Image], loaded: "Loaded", *, quiet: bool
) -> list["Cleared"]:
    """Every call, so that nothing is paid of a job that a budget or a policy ends half-way: the
    calls of one command share what a budget allows one. Raises what `cleared` does, and what the
    format has no words for."""
    from llmctl.cli.searched import cleared_patiently
    from llmctl.engine.attempt import given_back

    readies: list[Cleared] = []
    try:
        for call in calls:
            route.dialect.encode(call, route.quirks)
            held = readies[0].reservation if readies else None
            run = held.run if held else None
            readies.append(cleared_patiently(route, call, loaded, quiet=quiet, run=run))
    except BaseException:
        for ready in readies:
            given_back(ready)
        raise
    return readies


def make_renderer(
    asked: DrawnAsked, album: Album, own: "Settings", terminal: Terminal, *, prompt: object
) -> Pictures:
    """`prompt` is a call as it leaves: what was taken out of it stands in no file's name."""
    from llmctl.output.aside import Aside
    from llmctl.output.footer import Footer

    assert isinstance(prompt, Image)  # noqa: S101  clearing keeps the kind of a call
    return Pictures(
        album,
        Aside(terminal, quiet=asked.quiet),
        Footer(terminal, line=own.output.receipt and not asked.quiet, usage=asked.usage),
        prompt=prompt.prompt,
        json=asked.json,
        to_terminal=terminal.stdout.is_tty,
        wanted=asked.media_type,
    )


def unheeded(asked: DrawnAsked, route: Route, way: "Drawing") -> list[Notice]:
    """What was asked for and is left out, since neither format nor model knows it."""
    takes_seed = route.quirks.seed if way.seed is None else way.seed
    if asked.seed is None or takes_seed:
        return []
    text = _("{model} takes no {knob}; it was left out.", model=route.model, knob="--seed")
    return [Notice("dropped", text)]


def sent(
    asked: DrawnAsked, readies: Sequence["Cleared"], loaded: "Loaded", show: Pictures
) -> LlmctlError | None:
    """Send the calls one after the other until one fails, other than by a filter, which may let the
    next one pass."""
    from llmctl.cli.one import restored
    from llmctl.engine.attempt import given_back

    shown = restored(show, readies[0])
    done: list[Drawn] = []
    try:
        for one in each_sent(asked, readies, loaded.settings, show):
            done.append(one)
            if not isinstance(one.error, Filtered | None):
                break
    finally:
        for ready in readies[len(done) :]:
            given_back(ready)
    error = amounting(done, asked.count)
    summed = replace(
        in_all([one.receipt for one in done]), error=error.failure() if error else None
    )
    try:
        if error is None:
            shown.finish(summed)
        elif not isinstance(error, PipeClosed):
            shown.fail(summed)
    except (PipeClosed, IoFailed) as trouble:
        error = error or trouble
    for one in done:
        keep(asked, loaded, recorded(one, error), one.ready.call)
    return error


def each_sent(
    asked: DrawnAsked, readies: Sequence["Cleared"], own: "Settings", show: Pictures
) -> Iterator[Drawn]:
    from llmctl.cli.attempt import attempt
    from llmctl.cli.loop import run_async
    from llmctl.cli.one import restored

    begun = time.monotonic()  # the time is that of all
    for ready in readies:
        first = ready is readies[0]
        before = len(show.saved)
        show.event(Progress(_("drawing"), before))
        told = asked.quiet or not first
        trial = attempt(ready, own, restored(show, ready), quiet=told, begun=begun)
        receipt, error = run_async(trial)
        yield Drawn(ready, receipt, error, tuple(show.saved[before:]))
