"""Where the command starts: `llmctl` and `python -m llmctl`."""

import sys

from llmctl import __version__


def main() -> None:
    """Run the command line; `--version` alone answers from here, before anything is imported."""
    if sys.argv[1:] == ["--version"]:
        try:
            sys.stdout.write(f"llmctl {__version__}\n")
            sys.stdout.flush()
            return
        except (OSError, AttributeError):
            pass  # the long way below says what is wrong, with the exit code it has
    import gc

    gc.disable()  # turned on again, with more patience, once the modules are loaded
    from llmctl.cli.start import run

    run(sys.argv[1:])


if __name__ == "__main__":
    main()
