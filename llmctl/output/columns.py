"""How many columns of a terminal a text takes."""


def cells(text: str) -> int:
    """East Asian wide and full-width characters take two, combining and format ones none."""
    if text.isascii():
        return len(text)
    import unicodedata

    total = 0
    for character in text:
        if unicodedata.category(character) in ("Mn", "Me", "Cf"):
            continue
        total += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return total
