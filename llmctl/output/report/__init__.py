"""Reports as one HTML file each: readable offline, without anything fetched or run from outside.

`elements.py` builds markup that is escaped by construction, `page.py` the document around it,
`tables.py`, `charts.py`, `marks.py` and `differences.py` are parts for any report, `words.py` says
figures in words. What begins with `compare` belongs to the report of a comparison alone.
"""
