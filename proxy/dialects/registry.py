"""The dialects that there are, by the path at which each is spoken."""

from typing import Final

from proxy.dialects.chat import Chat
from proxy.dialects.completions import Completions
from proxy.dialects.dialect import Dialect
from proxy.dialects.embeddings import Embeddings
from proxy.dialects.messages import Messages
from proxy.dialects.responses import Responses

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
