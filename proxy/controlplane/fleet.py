"""The fleet: the workers as control knows them, from their hellos and reports.

Counters of workers that ended are kept in the sums, so they never go down. It holds plain
values; it knows neither how they came nor who reads them. One thread writes, any may read.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from proxy.channel import Account, Gauges, Hello, Ledger, ShadowReport, UpstreamReport
from proxy.routing.table import RoutingTable


class Worker(Struct, frozen=True, kw_only=True):
    """One running worker, as of its last report."""

    number: int
    pid: int
    turnout: str  # the version of its code
    table_version: int | None = None  # acknowledged
    in_flight: int = 0
    connections: int = 0
    shed: int = 0
    upstreams: tuple[UpstreamReport, ...] = ()
    shadows: tuple[ShadowReport, ...] = ()


class Pool(Struct, kw_only=True):
    """One upstream as all workers together see it."""

    name: str
    open: int = 0
    idle: int = 0
    waiting: int = 0
    ejected: int = 0  # workers that keep it out at present
    requests: int = 0
    retries: int = 0
    ejections: int = 0
    connect_failures: int = 0

    def add(self, report: UpstreamReport, *, live: bool) -> None:
        """Add one worker's view; of one that is gone only the counters stay."""
        self.requests += report.requests
        self.retries += report.retries
        self.ejections += report.ejections
        self.connect_failures += report.connect_failures
        if live:
            self.open += report.open
            self.idle += report.idle
            self.waiting += report.waiting
            self.ejected += report.ejected


Watch = Callable[[int, tuple[UpstreamReport, ...]], None]


class Fleet:
    """All workers, the accounts of their exchanges, and the table they are to be on."""

    def __init__(self, ledger: Ledger, table: RoutingTable, restarts: Mapping[str, int]) -> None:
        self._ledger = ledger
        self._last: dict[int, Worker] = {}  # the last process of each number
        self._connected: frozenset[int] = frozenset()
        self._ended: dict[str, Pool] = {}  # the counters of those before the last
        self._ended_shadows: list[ShadowReport] = []
        self._ended_shed = 0
        self._watches: list[Watch] = []
        self.table = table
        self.restarts = restarts

    def joined(self, hello: Hello) -> None:
        """Note a worker that says hello, for the first time or again."""
        number = hello.worker
        known = self._last.get(number)
        if known is None or known.pid != hello.pid:
            self._keep(() if known is None else known.upstreams)
            if known is not None:
                self._ended_shadows = sums([*self._ended_shadows, *known.shadows])
                self._ended_shed += known.shed
            self._last[number] = Worker(number=number, pid=hello.pid, turnout=hello.turnout)
        self._connected |= {number}

    def acknowledged(self, worker: int, version: int) -> None:
        """Note that `worker` is on table `version`."""
        self._last[worker] = replace(self._last[worker], table_version=version)

    def reported(self, worker: int, gauges: Gauges) -> None:
        """Note how `worker` is doing."""
        last = self._last[worker]
        still = {(report.name, report.made) for report in gauges.upstreams}
        self._keep(each for each in last.upstreams if (each.name, each.made) not in still)
        self._last[worker] = replace(
            last,
            in_flight=gauges.in_flight,
            connections=gauges.connections,
            shed=gauges.shed,
            upstreams=gauges.upstreams,
            shadows=gauges.shadows,
        )
        for watch in self._watches:
            watch(worker, gauges.upstreams)

    def _keep(self, reports: Iterable[UpstreamReport]) -> None:
        """Keep the counters of upstreams that are no more, with their worker or without."""
        for report in reports:
            self._ended.setdefault(report.name, Pool(name=report.name)).add(report, live=False)

    def watch(self, watch: Watch) -> None:
        """Call `watch` with a worker's number and its upstreams at each report; it is quick."""
        self._watches.append(watch)

    def left(self, worker: int) -> None:
        """Note that `worker` is gone, for now at least; its counters stay."""
        self._connected -= {worker}

    @property
    def workers(self) -> Mapping[int, Worker]:
        """The connected workers by number."""
        return {number: self._last[number] for number in sorted(self._connected)}

    @property
    def upstreams(self) -> list[Pool]:
        """Each upstream, over all workers, with the counters of those that ended."""
        pools = {name: replace(pool) for name, pool in self._ended.copy().items()}
        connected = self._connected
        for number, worker in self._last.copy().items():
            for report in worker.upstreams:
                pool = pools.setdefault(report.name, Pool(name=report.name))
                pool.add(report, live=number in connected)
        return sorted(pools.values(), key=lambda pool: pool.name)

    @property
    def shadows(self) -> list[ShadowReport]:
        """The shadows of each route to each variant, over all workers, ended ones included."""
        running = [each for worker in self._last.copy().values() for each in worker.shadows]
        return sums([*self._ended_shadows, *running])

    @property
    def shed(self) -> int:
        """Connections that workers cut at the door, for want of files or room."""
        return self._ended_shed + sum(worker.shed for worker in self._last.copy().values())

    @property
    def account(self) -> Account:
        """What became of all exchanges."""
        return self._ledger.total()

    @property
    def dropped(self) -> int:
        """Observations that workers dropped because their outbox was full."""
        return self.account.dropped

    @property
    def lost(self) -> int:
        """Observations that died with a worker before control had them."""
        return self.account.lost

    @property
    def in_flight(self) -> int:
        """Exchanges under way, as last reported."""
        return sum(worker.in_flight for worker in self.workers.values())


def on_table(workers: Iterable[Worker], version: int) -> int:
    """Return how many of `workers` have acknowledged table `version`."""
    return sum(worker.table_version == version for worker in workers)


def sums(reports: Iterable[ShadowReport]) -> list[ShadowReport]:
    """Return one report for each route and variant: what several workers reported of it."""
    totals: dict[tuple[str, str], ShadowReport] = {}
    for report in reports:
        key = report.route, report.variant
        so_far = totals.get(key, ShadowReport(route=report.route, variant=report.variant))
        totals[key] = replace(
            so_far,
            expected=so_far.expected + report.expected,
            sent=so_far.sent + report.sent,
            dropped=Counter(so_far.dropped) + Counter(report.dropped),
        )
    return list(totals.values())
