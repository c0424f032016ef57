"""Text in the cells of CSV files, such that no spreadsheet takes it for a formula."""

# What a spreadsheet takes for the beginning of a formula.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def no_formula(text: str) -> str:
    """An apostrophe before what looks like a formula makes it a text."""
    return f"'{text}" if text.startswith(FORMULAS) else text
