"""Changes of the routing: what may be asked for, and what came of it."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from proxy.controlplane.admin.models.forms import (
    Answer,
    Asked,
    Many,
    Name,
    Number,
    Percent,
    Seconds,
    Unit,
    Weight,
    Words,
)
from proxy.controlplane.admin.models.routing import RouteState
from proxy.routing.table import Shadow

SHADOW = Shadow(variant="", percent=0)


class Why(Asked):
    """A change that needs no more said."""

    why: Words = ""
    """Why; it stands in the version and in the audit log."""


class Split(Why):
    """New weights of a route."""

    weights: Annotated[dict[Name, Weight], Field(min_length=1, max_length=100)]
    """Weights by variant, in any unit. Variants that are not named get none."""


class NewVariant(Why):
    """A variant to add to a route."""

    name: Name
    """Its name on this route."""
    upstream: Name
    """The configured upstream that serves it."""
    model: Name | None = None
    """The model to ask it for; without it, the name that the client sent."""
    weight: Weight = 0.0
    """Its weight beside the others; 0: only those who ask for it by name."""
    overrides: dict[str, JsonValue] = Field(default_factory=dict)
    """Members of the request body set whatever the client sent."""
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    """Members of the request body set where the client sent none."""


class Switch(Why):
    """A variant to switch off, or on again."""

    route: Name | None = None
    """The only route to do it on; without it, all that have the variant."""


class Pinning(Why):
    """A unit that is to have a variant of its own."""

    unit: Unit
    """The unit: the user, the conversation or the key's name, as the route sticks."""
    variant: Name
    """The variant that it always gets."""


class Shadowing(Why):
    """A share of a route's requests that a variant is to get as well."""

    variant: Name
    """The variant."""
    percent: Percent
    """How many, in percent of the route's requests."""
    timeout_seconds: Seconds = SHADOW.timeout
    """How long one may take, in seconds."""
    concurrency: Many = SHADOW.concurrency
    """How many at once, over all workers; what is above is dropped."""


class Rollback(Why):
    """The way back to an earlier version."""

    route: Name | None
    """The route; null means the whole routing. It must be said."""
    to: Number | None = None
    """The version whose contents are to be in force again; without it, the last one that
    differed and was not itself rolled back from."""


class LateHost(Answer):
    """A host on which a version is not in force."""

    name: str
    """What it is called."""
    why: str
    """Why not, for people."""


class Reach(Answer):
    """On how many of the hosts that share the store a version is in force."""

    in_force: int
    """On how many, this one included."""
    of: int
    """How many hosts there are."""
    milliseconds: float
    """From the last acknowledgement of this host's workers to that of the last host."""
    late: list[LateHost]
    """Those on which it is not in force yet."""


class Published(Answer):
    """A change that is in force."""

    version: int
    """The version in force."""
    changed: bool
    """Whether it is a new one; false: the routing said that already."""
    restored: int | None
    """A rollback's: the version whose contents these are."""
    workers: int
    """How many workers have acknowledged it."""
    of: int
    """How many workers there are."""
    milliseconds: float
    """From the request to the last acknowledgement, check and append included."""
    late: list[int]
    """Workers that did not acknowledge in time; they are replaced."""
    hosts: Reach | None
    """On how many hosts it is in force; null: this one does not share its store."""
    left: list[str] = Field(default_factory=list)
    """Routes on which a variant that was to be off everywhere is on, for no other one is."""
    routes: list[RouteState]
    """The routes as they are now: the one that was named, or all."""


class Reloaded(Answer):
    """What came of reading the file again."""

    result: Literal["published", "unchanged", "outdated", "rejected"]
    """A new version, no change of the routing, an older `revision` than the one in force
    (ignored), or problems (nothing of it was taken)."""
    version: int
    """The version in force."""
    problems: list[str]
    """What is wrong with the file, each with its place and remedy."""
    restart_needed: list[str]
    """Settings that have changed in the file and take a restart."""
    workers: int | None
    """How many workers have acknowledged what was read; null: there was nothing to tell them."""
    of: int | None
    """How many workers there are; null: same."""
    milliseconds: float | None
    """From the reading to the last acknowledgement; null: same."""
    late: list[int]
    """Workers that did not acknowledge in time; they are replaced."""
    hosts: Reach | None
    """On how many hosts it is in force; null: this one does not share its store."""
