"""What flags that are settings take, by example: for whoever gave one something else."""

from llmctl.messages import _

EXAMPLES = {
    "--max-cost": '"0.50 USD"',
    "--privacy": "no-training",
    "--require": "region=RU,no-training",
    "--secrets": "redact",
    "--redact-names": "names.txt",
    "--log": "meta",
    "--encoding": "cp1251",
    "--timeout": "60",
    "--idle-timeout": "60",
}


def example_hint(flag: str) -> str:
    """What to type instead; whichever command it was."""
    example = EXAMPLES.get(flag)
    if example is None:
        return _("see what it takes: llmctl ask --help")
    return _("such as: {flag} {example}", flag=flag, example=example)
