"""Formats: whether a reply has the form that its route, or the request itself, asks for.

    asked     the form that a request asks for
    schemas   JSON Schema, within bounds: a client chooses the schema
    forms     one form, ready to be held against a reply
    checker   which observations are checked, and what becomes of them

It may compute for long, though not without bound, and belongs off the event loop. It knows no
queue; what it finds stands on the observation.
"""

from proxy.formats.checker import Checker

__all__ = ["Checker"]
