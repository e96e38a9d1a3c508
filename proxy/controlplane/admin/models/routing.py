"""The routing as it is shown: routes, what variants get, and why a unit goes where it does."""

from typing import Literal

from pydantic import JsonValue

from proxy.controlplane.admin.models.forms import Answer


class VariantState(Answer):
    """One variant of a route."""

    name: str
    """Its name."""
    upstream: str
    """The upstream that serves it."""
    model: str | None
    """The model it asks for; null: the name that the client sent."""
    weight: float
    """Its weight as it was set; it is kept while the variant is off."""
    share: float
    """The part of the route's requests that it gets, 0 to 1."""
    baseline: bool
    """Whether others are compared with it: the first of its route."""
    off: bool
    """Whether it serves nobody."""


class ShadowState(Answer):
    """The share of a route's requests that a variant gets as well, unseen by clients."""

    variant: str
    """The variant that gets them."""
    percent: float
    """How many, in percent of the route's requests."""
    timeout_seconds: float
    """How long one may take, in seconds."""
    concurrency: int
    """How many at once, over all workers."""


class RouteState(Answer):
    """One route in force."""

    name: str
    """What apps put in `model`."""
    sticky: Literal["user", "conversation", "key", "request"]
    """What keeps its variant."""
    variants: list[VariantState]
    """Its variants, in the file's order."""
    fallback: list[str]
    """Variants tried in this order when the assigned one fails before its first byte."""
    pins: int
    """How many units have a variant of their own."""
    shadow: ShadowState | None
    """Who gets a copy of its requests; null: nobody."""


class Routing(Answer):
    """The routing in force; its version is also the `ETag`."""

    version: int
    """Its version."""
    digest: str
    """Its contents' SHA-256 digest, hexadecimal."""
    contents: dict[str, JsonValue]
    """The routing as the file would say it."""
    routes: list[RouteState]
    """The same as it works: shares instead of weights."""


class Segment(Answer):
    """One variant's stretch of [0, 1)."""

    variant: str
    """The variant that serves it."""
    instead_of: str | None
    """The variant whose stretch it is, where that one is off; null: its own."""
    start: float
    """Where it begins."""
    end: float
    """Where it ends; that point is not its own."""
    share: float
    """Its length."""


class Explained(Answer):
    """Where a request goes, and why."""

    version: int | None
    """The routing's version; null: it is what a file says, in force or not."""
    route: str
    """The route."""
    sticky: Literal["user", "conversation", "key", "request"]
    """What keeps its variant on this route."""
    unit: str | None
    """The unit asked for; null: none."""
    position: float | None
    """Where the unit stands in [0, 1); null: no unit."""
    segments: list[Segment]
    """How the split is laid out."""
    variant: str | None
    """The variant; null: by chance."""
    forced: bool
    """Whether the variant was asked for by name."""
    pinned: bool
    """Whether the unit has a variant of its own."""
    off: list[str]
    """Variants of the route that serve nobody."""
    shadow: ShadowState | None
    """Who gets a share of the route's requests as well; null: nobody."""
    fallback: list[str]
    """Tried in this order should the variant fail before its first byte."""
    why: str
    """The reason, for people."""
