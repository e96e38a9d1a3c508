"""The Call: what an admitted request asks of the upstreams, as one value.

`admit` makes it, `forward` carries it out. It knows nothing of connections or replies.
"""

from msgspec import Struct

from proxy.config.settings import ClientKey
from proxy.dialects import Dialect, Members, RequestFacts
from proxy.http import Request
from proxy.routing import Decision, Variant


class Metered(Struct, frozen=True, kw_only=True):
    """The part of a call that only our dialects have: a body that was read and understood."""

    dialect: Dialect
    body: bytes
    members: Members
    facts: RequestFacts


class Call(Struct, frozen=True, kw_only=True):
    """One admitted request. `variants`: the one assigned, then the route's fallback order."""

    request: Request
    key: ClientKey | None
    variants: tuple[Variant, ...]
    decision: Decision | None = None  # None: no route, it passes through
    metered: Metered | None = None  # None: a path we do not read, passed piece by piece
