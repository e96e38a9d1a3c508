"""The routing table: an immutable value that says where a request may go.

It holds no metric handle, no health and no connection. It is read once a request.
"""

from typing import Literal

from msgspec import Raw, Struct

Sticky = Literal["user", "conversation", "key", "request"]


class Variant(Struct, frozen=True, kw_only=True):
    """A named treatment: which upstream, which model, which members of the body change."""

    name: str
    upstream: str
    model: str | None = None  # None: the model the client asked for
    overrides: dict[str, Raw] = {}  # members set whatever the client sent, as JSON
    defaults: dict[str, Raw] = {}  # members set where the client sent none


class Shadow(Struct, frozen=True, kw_only=True):
    """A share of a route's requests that a variant gets as well, its replies kept from clients."""

    variant: str
    percent: float  # 0 to 100, of the route's requests
    timeout: float = 60.0  # seconds, for the whole of one
    concurrency: int = 16  # at once, over all workers; what is above is dropped


class Route(Struct, frozen=True, kw_only=True):
    """The name that apps ask for as their model, and the variants that may serve it.

    `variants` keeps the order of the file; the first one is the baseline. `weights` stand in
    the same order. `fallback` names variants to try, in order, while no byte went out.
    """

    name: str
    variants: tuple[Variant, ...]
    weights: tuple[float, ...]
    sticky: Sticky = "user"
    sticky_header: str | None = None  # lower case
    salt: str = ""  # "": the route's name
    fallback: tuple[str, ...] = ()
    pins: dict[str, str] = {}  # unit -> the variant it always gets
    off: tuple[str, ...] = ()  # serve nobody, their units are the default's; never all variants
    shadow: Shadow | None = None


class RoutingTable(Struct, frozen=True, kw_only=True):
    """All routes in force, under one version number."""

    version: int
    digest: str  # hex SHA-256 of the contents
    routes: dict[str, Route]
    default_upstream: str | None = None  # where other models and other /v1 paths go
    pass_unknown_models: bool = False  # False: an unknown model is 404


class Decision(Struct, frozen=True, kw_only=True):
    """Which variant a request goes to, and why."""

    route: Route
    variant: Variant
    forced: bool = False
    pinned: bool = False
    bucket: int | None = None  # 53-bit hash of the unit; None: forced without a unit
    unit_kind: Sticky = "request"  # what the assignment was in fact sticky by
