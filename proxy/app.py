"""The composition root: the only file that names concrete adapters.

`python -m proxy.app worker FD` and `... control FD` are the two kinds of child that the
supervisor starts; FD is the child's end of its lifeline. Each imports only its own plane, so
that a worker carries no web framework and no tokenizer.
"""

# ruff: noqa: PLC0415  # see above: what one process needs, the other does not load

import asyncio
import platform
import random
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from proxy import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from proxy.channel import Tally
    from proxy.channel.lifeline import WorkerLaunch
    from proxy.config.settings import Settings, UpstreamSettings
    from proxy.controlplane.control import Record
    from proxy.controlplane.fleet import Fleet
    from proxy.controlplane.hosts.company import Company
    from proxy.controlplane.pipeline import Steps, Teller
    from proxy.controlplane.publishing.configuration.standing import Standing
    from proxy.dataplane.service import Service
    from proxy.exchange import Observation
    from proxy.sinks.tracing.exporter import Requests
    from proxy.store.observations import Finding, ObservationWriter
    from proxy.upstream import Upstream

AGENT = f"turnout/{__version__}"  # to receivers and collectors
VERSIONS = "versions.db"  # in the data directory
COUNTING_SECONDS = 5.0  # at the end, for tokens that are still to be counted
TRACING_SECONDS = 3.0  # at the end, for spans that wait
STORING_SECONDS = 3.0  # at the end, for what waits to be stored
TELLING_SECONDS = 5.0  # at the end, for alerts that are still to be posted


def compose_worker(
    launch: "WorkerLaunch", offer: "Callable[[Observation], None]", tally: "Tally"
) -> "Service":
    """Return a worker's service; what it serves comes from control."""
    from proxy.dataplane.service import Service
    from proxy.upstream import Upstream

    # uvloop's own time is the loop's (CLOCK_MONOTONIC), but counts whole milliseconds.
    clock = time.monotonic

    def upstream(settings: "UpstreamSettings") -> "Upstream":
        return Upstream(settings, workers=launch.workers, clock=clock, dice=random.random)

    return Service(
        offer=offer,
        counts=tally,
        clock=clock,
        wall=time.time,
        random_bits=random.getrandbits,
        upstream=upstream,
    )


class Kept:
    """What control keeps: versions, metrics, log, token counts, alerts and who is told of them."""

    def __init__(
        self, settings: "Settings", fleet: "Fleet", standing: "Standing", company: "Company"
    ) -> None:
        from proxy.controlplane.admin.lately import Lately
        from proxy.controlplane.pipeline import Pipeline
        from proxy.controlplane.watching.remembering import AlertFile
        from proxy.controlplane.watching.watching import Watching
        from proxy.pricelist import PriceList
        from proxy.sinks.bodies import Scribe
        from proxy.sinks.log import AlertLog, ExchangeLog, UpstreamLog, configure
        from proxy.sinks.metrics import (
            Metrics,
            Processes,
            fleet_readings,
            host_readings,
            notifier_readings,
            own_readings,
            store_readings,
        )
        from proxy.sinks.metrics.counted import alert_readings, budget_readings
        from proxy.tokens import TokenCounter

        lines = configure(settings.log_format, sys.stdout)
        fleet.watch(UpstreamLog().see)
        self._open_store(settings)
        self.lately = Lately(time.monotonic)
        self._open_notifiers(settings, company.name)
        self._open_tracing(settings, company.name)
        readings = own_readings(
            version=__version__,
            python=platform.python_version(),
            log_dropped=lambda: lines.dropped,
            uncounted=lambda: self.pipeline.uncounted,
            waiting=lambda: self.pipeline.waiting,
            reloads=lambda: standing.counts,
            degraded=lambda: bool(standing.degraded),
        )
        readings += notifier_readings(self.notifiers.results, self.notifiers.waiting)
        readings += self._spans
        readings += Processes(lambda: [each.pid for each in fleet.workers.values()]).readings()
        self._scribe = Scribe(time.monotonic)
        stored = store_readings(self.writer, lambda: self._scribe.dropped)
        stored += budget_readings(lambda: self.spending.shown)
        stored += alert_readings(lambda: [each.facts for each in self.watching.firing])
        self._metrics = metrics = Metrics(
            self._names,
            [*fleet_readings(lambda: fleet), *host_readings(company.counts), *readings, *stored],
        )
        self._registry = metrics.registry()
        self._exchanges, self._counter, self._listed = ExchangeLog(), TokenCounter(), PriceList()
        on, clocks = self.silencing.on, {"clock": time.monotonic, "wall": time.time}
        memory = AlertFile(Path(settings.data_dir))
        self.watching: Watching = Watching(
            silenced=on, teller=self.telling, counter=metrics, memory=memory, **clocks
        )
        log = AlertLog(lambda each: bool(on(each.name, each.route, each.variant)))
        tellers: list[Teller] = [log, metrics, self.telling, self.lately]
        self.pipeline: Pipeline = Pipeline(
            self._steps(settings), scribe=self._scribe, tellers=tellers
        )

    def _open_notifiers(self, settings: "Settings", host: str) -> None:
        """Get ready whoever is told of alerts, and silences, of which nobody is."""
        from proxy.controlplane.telling import Telling
        from proxy.controlplane.watching.silencing import Silencing
        from proxy.notifiers import Notifiers
        from proxy.store import Silences

        self.silencing = Silencing(Silences(self.versions.engine), time.time)
        self.notifiers = Notifiers(
            agent=AGENT,
            host=host,
            clock=time.monotonic,
            wall=time.time,
            dice=random.random,
        )
        self.telling = Telling(
            self.notifiers, clock=time.monotonic, silenced=self.silencing.silenced
        )
        self.telling.adopt(settings.alerts.notify)

    def _open_tracing(self, settings: "Settings", host: str) -> None:
        """Get ready what sends spans, and the names that stand in them as in the metrics."""
        from proxy.sinks.metrics import Names, span_readings
        from proxy.sinks.tracing import Exporter

        self._names, self._host = Names(), host
        self.tracing = Exporter(AGENT, clock=time.monotonic, wall=time.time, dice=random.random)
        self.tracing.adopt(self._requests(settings))
        self._spans = span_readings(self.tracing.results)

    def _open_store(self, settings: "Settings") -> None:
        """Open what is kept for good: versions, and requests and spending where they are."""
        from proxy.controlplane import spending
        from proxy.store import open_store
        from proxy.store.observations import Spending, open_observations
        from proxy.store.summaries import Comparing

        elsewhere = settings.store and settings.store.url
        self.versions = open_store(elsewhere or Path(settings.data_dir) / VERSIONS)
        self.observations: Finding | None = None
        self.compares: Comparing | None = None
        self.writer: ObservationWriter | None = None
        self.spent: Spending | None = None
        if settings.store is not None:
            engine, clocks = self.versions.engine, {"clock": time.monotonic, "wall": time.time}
            self.spent, self.compares = Spending(engine), Comparing(engine)
            self.observations, self.writer = open_observations(
                engine, settings.store, **clocks, spending=self.spent
            )
        self.spending = spending.Spending(self.spent, time.time)

    def take(self, worker: int, observations: "Sequence[Observation]") -> None:
        """Take what a worker handed over."""
        self.pipeline.take(worker, observations)

    def adopt(self, settings: "Settings") -> None:
        """Do as `settings` say from now on."""
        self._names.adopt(settings.data_plane.table, settings.data_plane.upstreams)
        self.pipeline.adopt(self._steps(settings))
        self.telling.adopt(settings.alerts.notify)
        self.tracing.adopt(self._requests(settings))
        self.spending.adopt(settings.costs.budgets)
        alerts = settings.alerts
        self.watching.adopt(settings.data_plane.table, alerts.windows, alerts.window_routes)

    def _requests(self, settings: "Settings") -> "Requests | None":
        """Return what writes requests for the collector; None: tracing is off."""
        if settings.tracing is None:
            return None
        from proxy.sinks.tracing.requests import Requests

        return Requests(
            settings.tracing,
            self._names,
            settings.data_plane.upstreams,
            version=__version__,
            host=self._host,
        )

    def render(self) -> tuple[bytes, str]:
        """Return the metrics in Prometheus' text format, and its content type."""
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def _steps(self, settings: "Settings") -> "Steps":
        """Return what the pipeline is to do by `settings`."""
        from proxy.alerting import Rules
        from proxy.controlplane.pipeline import Steps, both
        from proxy.formats import Checker
        from proxy.pricelist import Hosted
        from proxy.pricing import Pricer
        from proxy.quality import Reader
        from proxy.sinks.redaction import Redactor

        plane, alerts = settings.data_plane, settings.alerts
        hosted = Hosted(plane, self._listed)
        hosted.prepare()
        self._scribe.adopt(plane.bodies, plane.previews.redact)
        return Steps(
            count=self._counter.count if plane.count_tokens else None,
            checker=Checker(settings.quality.default, settings.quality.routes),
            read=Reader(settings.quality.default, settings.quality.routes).read,
            price=Pricer(settings.costs.prices, hosted.listed).price,
            redact=Redactor(plane.previews).redact,
            judge=both(Rules(alerts.default, alerts.routes).judge, self.spending.judge),
            sinks=[
                self._metrics,
                self.watching,
                *([self.writer] if self.writer is not None else []),
                *([self.tracing] if settings.tracing is not None else []),
                *([self._exchanges] if settings.log_exchanges else []),
            ],
        )


@asynccontextmanager
async def compose_control(
    settings: "Settings", fleet: "Fleet", standing: "Standing", company: "Company"
) -> "AsyncIterator[Record]":
    """Run what keeps the record of exchanges and of the routing."""
    from proxy.store import Hosts

    kept = Kept(settings, fleet, standing, company)
    if settings.store is not None and settings.store.url is not None:
        company.shared = Hosts(kept.versions.engine)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(kept.pipeline.run())
        tasks.create_task(kept.notifiers.run())
        tasks.create_task(kept.tracing.run())
        telling = tasks.create_task(kept.telling.run())
        beside = [
            tasks.create_task(each.run())
            for each in (kept.spending, kept.silencing, kept.watching)
        ]
        yield kept
        for task in beside:
            task.cancel()
        await kept.pipeline.close(COUNTING_SECONDS)
        telling.cancel()
        kept.telling.end()
        await asyncio.gather(
            kept.notifiers.close(TELLING_SECONDS), kept.tracing.close(TRACING_SECONDS)
        )
        if kept.writer is not None:
            await asyncio.to_thread(kept.writer.close, STORING_SECONDS)
    kept.versions.close()


def main(kind: str, descriptor: int) -> None:
    """Be a child of the supervisor until it is over."""
    if kind == "worker":
        from proxy.dataplane.worker import run_worker

        run_worker(descriptor, compose_worker)
    else:
        from proxy.controlplane.control import run_control
        from proxy.dataplane.worker import loop_factory

        run_control(descriptor, compose_control, loop_factory())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
