"""A client of the feed and of the event log, over HTTP alone.

It imports nothing else of ``noc``: what it knows of the server is what ``docs/feed.md`` says.
"""
