"""The state of a running turnout, as it is shown."""

from typing import Literal

from pydantic import AwareDatetime

from proxy.controlplane.admin.models.costs import BudgetState
from proxy.controlplane.admin.models.forms import Answer
from proxy.controlplane.admin.models.routing import RouteState


class Table(Answer):
    """The routing in force, and on how many workers."""

    version: int
    """Its version."""
    digest: str
    """Its contents' SHA-256 digest, hexadecimal."""
    workers: int
    """How many of the connected workers are on it."""
    source: Literal["file", "cli", "api", "rollback", "ramp"]
    """Where it came from."""
    who: str
    """Who put it in force."""
    why: str
    """Why."""
    at: AwareDatetime
    """When."""


class WorkerStatus(Answer):
    """One connected worker, as of its last report."""

    number: int
    """Its number, from 0."""
    pid: int
    """Its process."""
    version: str
    """The version of its code."""
    table_version: int | None
    """The routing that it has acknowledged; null: none yet."""
    in_flight: int
    """Exchanges that it is busy with."""
    connections: int
    """Client connections that it holds open."""


class HostStatus(Answer):
    """One of the hosts that share a store, as it last told of itself; this one, as it is."""

    name: str
    """What it is called."""
    here: bool
    """Whether it is the one that answers."""
    state: Literal["in_force", "behind", "silent"]
    """Whether the newest version is in force there, an older one, or it says nothing lately."""
    version: int
    """The version in force there."""
    workers: int
    """Its workers."""
    in_force: int
    """How many of them are on that version."""
    release: str
    """The version of its code."""
    started_at: AwareDatetime
    """When its control process started."""
    unseen_seconds: float
    """How long ago it told that."""
    trouble: str
    """What is wrong with it, for people; empty: nothing."""


class UpstreamStatus(Answer):
    """One upstream as all workers together see it; counters since turnout's start."""

    name: str
    """Its configured name."""
    open: int
    """Connections to it, busy and idle."""
    idle: int
    """Those of them that wait for work."""
    waiting: int
    """Exchanges that wait for a connection."""
    ejected_by: int
    """Workers that keep it out at present, after failures in a row."""
    requests: int
    """Requests sent to it, retries included."""
    retries: int
    """Those sent once more."""
    ejections: int
    """Times that a worker put it out."""
    connect_failures: int
    """Connections that could not be opened."""


class Exchanges(Answer):
    """What became of all exchanges since turnout's start."""

    begun: int
    """Those that workers began."""
    taken: int
    """Those on record."""
    dropped: int
    """Those whose record was dropped because control was behind or away."""
    lost: int
    """Those that died with a worker."""
    in_flight: int
    """Those under way, as of the workers' last reports."""


class AlertCount(Answer):
    """How often an alert was raised lately."""

    alert: str
    """The rule: `slow`, `short` or `budget`."""
    route: str | None
    """The route; null: passed through."""
    variant: str | None
    """The variant."""
    count: int
    """How often, within `alert_seconds`."""
    last: AwareDatetime
    """When for the last time."""


class AlertState(Answer):
    """An alert over a window, as it stands."""

    alert: str
    """The rule's name."""
    state: Literal["pending", "firing", "resolved"]
    """Broken, but not for long enough; broken; kept again, or not there any more."""
    route: str | None
    """The route; null: passed through."""
    variant: str | None
    """The variant; null: the route as a whole."""
    about: str | None
    """Of `worse_than_baseline`: the figure that is worse."""
    value: float | None
    """The figure, in `unit`; null: nothing is known of it any more."""
    threshold: float
    """What it is not to be above."""
    unit: str
    """What both are in."""
    count: int
    """Requests in the window that it is of."""
    began_at: AwareDatetime
    """When the rule was broken."""
    fired_at: AwareDatetime | None
    """When it had been for long enough; null: not yet."""
    ended_at: AwareDatetime | None
    """When it was resolved; null: not yet."""
    request_ids: list[str]
    """A few requests that show it."""
    sentence: str
    """All that in words."""
    runbook: str
    """Where the page stands that says what to do."""
    silence: int | None
    """The number of the silence on it; null: none."""
    silenced_until: AwareDatetime | None
    """When that silence ends; null: same."""


class LastReading(Answer):
    """The last reading of the configuration file."""

    at: AwareDatetime
    """When it was read."""
    result: Literal["published", "unchanged", "outdated", "rejected"]
    """What came of it: a new version, no change of the routing, an older `revision` than the
    one in force (ignored), or problems (nothing of it was taken)."""
    problems: list[str]
    """What is wrong with the file, each with its place and remedy."""
    restart_needed: list[str]
    """Settings that have changed in the file and take a restart."""


class Status(Answer):
    """The state of this turnout."""

    version: str
    """The version of the code."""
    degraded: list[str]
    """Why this turnout does not run on what its file says; empty: it does."""
    table: Table
    """The routing in force."""
    routes: list[RouteState]
    """Its routes."""
    hosts: list[HostStatus]
    """The hosts that share the store, by name; where it is not shared, this one."""
    workers: list[WorkerStatus]
    """The connected workers."""
    restarts: dict[str, int]
    """How often a process was started again, by its kind."""
    exchanges: Exchanges
    """What became of all exchanges."""
    upstreams: list[UpstreamStatus]
    """The upstreams, by name."""
    firing: list[AlertState]
    """Alerts over windows that fire."""
    alerts: list[AlertCount]
    """Alerts on single exchanges, raised within the last `alert_seconds`, the most frequent
    first."""
    alert_seconds: float
    """How far back alerts are counted, in seconds."""
    budgets: list[BudgetState]
    """How each budget stands."""
    reading: LastReading | None
    """The last reading of the file; null: none since the start, or there is no file."""
