"""Jobs of many rows: which of them are done, what is sent next, what it came to.

Values and their order only; nothing here knows a terminal or a flag.
"""
