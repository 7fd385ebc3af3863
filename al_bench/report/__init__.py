"""The report: stored cycles in, one page that needs nothing else and tables as CSV and Markdown out.

`page.write_report` is the way in. Nothing here trains, and every number is one that a stored cycle, an artifact's
record or a published table holds.
"""
