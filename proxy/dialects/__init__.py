"""What must be known of each API, sans-IO: peek at a request, meter a reply.

`by_path` finds the dialect, `parse` and `rewrite` read and change a request's body. One module
an API; what they share is in `wire`, and for the two whose replies are choices in `choices`.
"""

from typing import Final

from proxy.dialects.chat import Chat
from proxy.dialects.completions import Completions
from proxy.dialects.dialect import Dialect, Members, Meter, Reading, RequestFacts, Stripper
from proxy.dialects.embeddings import Embeddings
from proxy.dialects.messages import Messages
from proxy.dialects.responses import Responses
from proxy.dialects.wire.members import encode, parse, rewrite

__all__ = [
    "DIALECTS",
    "Dialect",
    "Members",
    "Meter",
    "Reading",
    "RequestFacts",
    "Stripper",
    "by_path",
    "encode",
    "parse",
    "rewrite",
]

DIALECTS: Final[tuple[Dialect, ...]] = (
    Chat(),
    Completions(),
    Embeddings(),
    Responses(),
    Messages(),
)
PATHS: Final = {dialect.path: dialect for dialect in DIALECTS}


def by_path(path: str) -> Dialect | None:
    """Return the dialect spoken at a path such as "/v1/chat/completions"; None: we read none."""
    return PATHS.get(path)
