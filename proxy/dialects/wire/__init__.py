"""What travels on the wire, whatever the API: JSON bodies and event streams.

`members` reads and rewrites a request's body, `fields` reads one member of it, `sse` finds the
events in a stream and `stripper` takes one out. Nothing here knows an API.
"""
