"""What is asked for at each scrape: the fleet's state, and turnout's own losses.

The numbers are kept by others (the control process, the log, the notifiers); here they get
their names. Nothing here adds up anything over time: totals come as totals.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from proxy.routing.table import RoutingTable
from proxy.sinks.metrics.cells import Labels, Reading
from proxy.sinks.metrics.counted import Shadow, shadow_readings, split_readings

Samples = Sequence[tuple[Labels, float]]


class Pool(Protocol):
    """One upstream as all workers together see it; counters never go down."""

    name: str
    open: int
    idle: int
    waiting: int
    ejected: int  # workers that keep it out at present
    requests: int
    retries: int
    ejections: int
    connect_failures: int


class Worker(Protocol):
    """One worker's last report."""

    @property
    def in_flight(self) -> int:
        """Exchanges that it is busy with."""
        ...

    @property
    def connections(self) -> int:
        """Client connections that it holds open."""
        ...


class Fleet(Protocol):
    """The processes as control knows them."""

    @property
    def workers(self) -> Mapping[int, Worker]:
        """The running workers by number."""
        ...

    @property
    def upstreams(self) -> Sequence[Pool]:
        """Each upstream, summed over workers, with the counters of those that ended."""
        ...

    @property
    def shadows(self) -> Sequence[Shadow]:
        """The shadows of all workers, with the counters of those that ended."""
        ...

    @property
    def restarts(self) -> Mapping[str, int]:
        """How often a process was started again, by its kind."""
        ...

    @property
    def dropped(self) -> int:
        """Observations that workers dropped because their batch was full."""
        ...

    @property
    def lost(self) -> int:
        """Observations that died with a worker before control had them."""
        ...

    @property
    def shed(self) -> int:
        """Client connections that workers cut at the door."""
        ...

    @property
    def table(self) -> RoutingTable:
        """The routing table in force."""
        ...


BY_WORKER: tuple[tuple[str, str, Callable[[Worker], float]], ...] = (
    (
        "turnout_in_flight",
        "Exchanges that a worker is busy with.",
        lambda worker: worker.in_flight,
    ),
    (
        "turnout_connections",
        "Client connections that a worker holds open.",
        lambda worker: worker.connections,
    ),
)
BY_UPSTREAM: tuple[tuple[str, str, Callable[[Pool], float]], ...] = (
    (
        "turnout_upstream_connections_open",
        "Connections to the upstream, busy and idle, of all workers.",
        lambda pool: pool.open,
    ),
    (
        "turnout_upstream_connections_idle",
        "Kept-alive connections to the upstream that wait for work.",
        lambda pool: pool.idle,
    ),
    (
        "turnout_upstream_waiting",
        "Exchanges that wait for a connection to the upstream.",
        lambda pool: pool.waiting,
    ),
    (
        "turnout_upstream_ejected",
        "Workers that keep the upstream out after failures in a row.",
        lambda pool: pool.ejected,
    ),
    (
        "turnout_upstream_requests_total",
        "Requests sent to the upstream, retries included.",
        lambda pool: pool.requests,
    ),
    (
        "turnout_upstream_retries_total",
        "Requests sent to the upstream once more.",
        lambda pool: pool.retries,
    ),
    (
        "turnout_upstream_ejections_total",
        "Times a worker put the upstream out after failures in a row.",
        lambda pool: pool.ejections,
    ),
    (
        "turnout_upstream_connect_failures_total",
        "Connections to the upstream that could not be opened.",
        lambda pool: pool.connect_failures,
    ),
)
PLAIN: tuple[tuple[str, str, Callable[[Fleet], float]], ...] = (
    (
        "turnout_observations_dropped_total",
        "Observations that workers dropped because control was behind or away.",
        lambda fleet: fleet.dropped,
    ),
    (
        "turnout_observations_lost_total",
        "Observations that died with a worker.",
        lambda fleet: fleet.lost,
    ),
    (
        "turnout_connections_shed_total",
        "Client connections cut at the door for want of files or room; no exchange began.",
        lambda fleet: fleet.shed,
    ),
    (
        "turnout_table_version",
        "Version of the routing table in force.",
        lambda fleet: fleet.table.version,
    ),
)


def fleet_readings(fleet: Callable[[], Fleet]) -> list[Reading]:
    """Return the metrics that `fleet` answers."""

    def workers(value: Callable[[Worker], float]) -> Callable[[], Samples]:
        return lambda: [((str(n),), value(w)) for n, w in fleet().workers.items()]

    def pools(value: Callable[[Pool], float]) -> Callable[[], Samples]:
        return lambda: [((pool.name,), value(pool)) for pool in fleet().upstreams]

    def plain(value: Callable[[Fleet], float]) -> Callable[[], Samples]:
        return lambda: [((), value(fleet()))]

    return [
        *(Reading(name, text, ("worker",), workers(value)) for name, text, value in BY_WORKER),
        *(Reading(name, text, ("upstream",), pools(value)) for name, text, value in BY_UPSTREAM),
        *(Reading(name, text, (), plain(value)) for name, text, value in PLAIN),
        Reading(
            "turnout_worker_restarts_total",
            "Times a process was started again after it ended by itself.",
            ("process",),
            lambda: [((kind,), count) for kind, count in fleet().restarts.items()],
        ),
        *split_readings(lambda: fleet().table),
        *shadow_readings(lambda: fleet().shadows),
    ]


def own_readings(
    *,
    version: str,
    python: str,
    log_dropped: Callable[[], int],
    uncounted: Callable[[], int],
    waiting: Callable[[], int],
    reloads: Callable[[], Mapping[str, int]],
    degraded: Callable[[], bool],
) -> list[Reading]:
    """Return what control's own parts say of themselves.

    `reloads` is by result.
    """
    return [
        Reading(
            "turnout_build_info",
            "Always 1; its labels say which turnout this is.",
            ("version", "python"),
            lambda: [((version, python), 1.0)],
        ),
        _alone(
            "turnout_log_lines_dropped_total",
            "Log lines dropped because the log's reader was behind or gone.",
            log_dropped,
        ),
        _alone(
            "turnout_token_counts_skipped_total",
            "Exchanges without usage whose tokens were not counted: the counter was behind.",
            uncounted,
        ),
        _alone(
            "turnout_observations_waiting",
            "Observations that wait in control for their tokens, forms or bodies to be seen to.",
            waiting,
        ),
        Reading(
            "turnout_config_reloads_total",
            "Readings of the configuration by result: published (a new routing), unchanged (the "
            "routing was not), outdated (an older copy, so it is ignored), rejected.",
            ("result",),
            lambda: [((result,), count) for result, count in reloads().items()],
        ),
        _alone(
            "turnout_config_degraded",
            "1: turnout does not run on what its file says, or what other hosts run: the file has "
            "problems, or does not fit the newest version.",
            degraded,
        ),
    ]


def notifier_readings(
    results: Callable[[], Mapping[tuple[str, str], int]], waiting: Callable[[], Mapping[str, int]]
) -> list[Reading]:
    """Return what those who are told of alerts say: by notifier and result, and by notifier."""
    return [
        Reading(
            "turnout_notifications_total",
            "Alerts told, by result: sent, failed (refused, or over before they could be sent), "
            "dropped (no room, or turnout stopped), superseded (newer word took their place).",
            ("notifier", "result"),
            lambda: list(results().items()),
        ),
        Reading(
            "turnout_notifications_waiting",
            "Alerts that are to be told: for long only where the notifier is down.",
            ("notifier",),
            lambda: [((notifier,), count) for notifier, count in waiting().items()],
        ),
    ]


def span_readings(results: Callable[[], Mapping[str, int]]) -> list[Reading]:
    """Return what became of spans, by result; nothing where tracing is off."""
    return [
        Reading(
            "turnout_spans_total",
            "Spans of exchanges, by result: exported, failed (the collector refused them, or did"
            " not take them within a minute), dropped (they came faster than they were taken, or"
            " turnout stopped).",
            ("result",),
            lambda: [((result,), count) for result, count in results().items()],
        )
    ]


def _alone(name: str, text: str, value: Callable[[], float]) -> Reading:
    """Return a metric without labels."""
    return Reading(name, text, (), lambda: [((), float(value()))])
