"""What must be known of each API, sans-IO: peek at a request, meter a reply.

`by_path` finds the dialect, `parse` and `rewrite` read and change a request's body. One module
an API; what they share is in `wire`, and for the two whose replies are choices in `choices`.
"""

from proxy.dialects.dialect import Dialect, Meter, RequestFacts, Stripper
from proxy.dialects.registry import DIALECTS, by_path
from proxy.dialects.wire.effects import has_effects
from proxy.dialects.wire.members import Members, encode, parse, rewrite

__all__ = [
    "DIALECTS",
    "Dialect",
    "Members",
    "Meter",
    "RequestFacts",
    "Stripper",
    "by_path",
    "encode",
    "has_effects",
    "parse",
    "rewrite",
]
