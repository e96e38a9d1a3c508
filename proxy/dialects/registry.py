"""The dialects that there are, by the path at which each is spoken."""

from typing import Final

from proxy.dialects.chat import CHAT
from proxy.dialects.completions import COMPLETIONS
from proxy.dialects.dialect import Dialect
from proxy.dialects.embeddings import EMBEDDINGS
from proxy.dialects.messages import MESSAGES
from proxy.dialects.responses import RESPONSES

DIALECTS: Final[tuple[Dialect, ...]] = (
    CHAT,
    COMPLETIONS,
    EMBEDDINGS,
    RESPONSES,
    MESSAGES,
)
PATHS: Final = {dialect.path: dialect for dialect in DIALECTS}


def by_path(path: str) -> Dialect | None:
    """Return the dialect spoken at a path such as "/v1/chat/completions"; None: we read none."""
    return PATHS.get(path)
