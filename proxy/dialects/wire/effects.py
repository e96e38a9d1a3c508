"""Effects: whether answering a request twice could do something twice.

Most requests only make a model talk. A few make the upstream's own side act: it writes on a
conversation that it keeps, works in the background, or runs tools itself. Pure; what follows
from it is the caller's matter.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from proxy.dialects.wire.members import Members

# Responses: conversation, background. Messages: container, mcp_servers.
KEEPING: Final = ("background", "container", "conversation", "mcp_servers")
ACTING: Final = frozenset({"code_interpreter", "mcp", "shell"})  # tools that the upstream runs
NULL: Final = Raw(b"null")
NOTHING: Final = frozenset({b"null", b"false", b"[]"})


class Tool(Struct):
    """A tool, as far as it matters who runs it."""

    type: str = ""


_tools: Final = msgspec.json.Decoder(list[Tool] | None)


def has_effects(members: Members) -> bool:
    """Return whether a request may change anything but its own reply; True where in doubt."""
    if any(bytes(members.get(name, NULL)) not in NOTHING for name in KEEPING):
        return True
    if bytes(members.get("prompt", NULL)).startswith(b"{"):  # kept upstream, tools and all
        return True
    try:
        tools = _tools.decode(members.get("tools", NULL))
    except msgspec.DecodeError:
        return True
    return any(tool.type in ACTING for tool in tools or ())
