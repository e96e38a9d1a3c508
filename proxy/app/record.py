"""What control keeps: versions, metrics, log, token counts, alerts and who is told of them."""

import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from proxy import __version__
from proxy.alerting import Rules
from proxy.app.stored import Stored
from proxy.app.told import Told
from proxy.app.traced import Traced
from proxy.config.settings import Settings
from proxy.controlplane.admin.lately import Lately
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.hosts.company import Company
from proxy.controlplane.pipeline import Pipeline, Steps, both
from proxy.controlplane.publishing.configuration.standing import Standing
from proxy.controlplane.spending import Spending
from proxy.controlplane.watching.remembering import AlertFile
from proxy.controlplane.watching.watching import Watching
from proxy.exchange import Observation
from proxy.formats import Checker
from proxy.pricelist import Hosted, PriceList
from proxy.pricing import Pricer
from proxy.quality import Reader
from proxy.sinks.bodies import Scribe
from proxy.sinks.log import AlertLog, ExchangeLog, UpstreamLog, configure
from proxy.sinks.metrics import (
    Metrics,
    Names,
    Processes,
    fleet_readings,
    host_readings,
    notifier_readings,
    own_readings,
    span_readings,
    store_readings,
)
from proxy.sinks.metrics.counted import alert_readings, budget_readings
from proxy.sinks.redaction import Redactor
from proxy.tokens import TokenCounter


class Kept:
    """All of it, begun as `settings` say; it is up to control to run it."""

    def __init__(
        self, settings: Settings, fleet: Fleet, standing: Standing, company: Company
    ) -> None:
        self.lines = configure(settings.log_format, sys.stdout)
        fleet.watch(UpstreamLog().see)
        self.stored = stored = Stored(settings)
        self.told = told = Told(stored.versions.engine, company.name)
        self._names = Names()
        self.traced = Traced(self._names, company.name)
        self.versions, self.spent = stored.versions, stored.spent
        self.observations, self.compares = stored.observations, stored.compares
        self.notifiers, self.silencing = told.notifiers, told.silencing
        self.spending = Spending(stored.spent, time.time)
        self.lately = Lately(time.monotonic)
        self._scribe = Scribe(time.monotonic)
        self._metrics = self._measures(fleet, standing, company)
        self._registry = self._metrics.registry()
        self._exchanges, self._counter, self._listed = ExchangeLog(), TokenCounter(), PriceList()
        silenced = told.silencing.on
        self.watching: Watching = Watching(
            silenced=silenced,
            teller=told.telling,
            counter=self._metrics,
            memory=AlertFile(Path(settings.data_dir)),
            clock=time.monotonic,
            wall=time.time,
        )
        log = AlertLog(lambda each: bool(silenced(each.name, each.route, each.variant)))
        told.telling.adopt(settings.alerts.notify)
        self.traced.adopt(settings)
        self.pipeline: Pipeline = Pipeline(
            self._steps(settings),
            scribe=self._scribe,
            tellers=[log, self._metrics, told.telling, self.lately],
        )

    def take(self, worker: int, observations: Sequence[Observation]) -> None:
        """Take what a worker handed over."""
        self.pipeline.take(worker, observations)

    def adopt(self, settings: Settings) -> None:
        """Do as `settings` say from now on."""
        self._names.adopt(settings.data_plane.table, settings.data_plane.upstreams)
        self.pipeline.adopt(self._steps(settings))
        self.told.telling.adopt(settings.alerts.notify)
        self.traced.adopt(settings)
        self.spending.adopt(settings.costs.budgets)
        alerts = settings.alerts
        self.watching.adopt(settings.data_plane.table, alerts.windows, alerts.window_routes)

    def render(self) -> tuple[bytes, str]:
        """Return the metrics in Prometheus' text format, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4

    def _measures(self, fleet: Fleet, standing: Standing, company: Company) -> Metrics:
        """Return what counts exchanges, with all that is read when somebody asks."""
        own = own_readings(
            version=__version__,
            python=platform.python_version(),
            log_dropped=lambda: self.lines.dropped,
            uncounted=lambda: self.pipeline.uncounted,
            waiting=lambda: self.pipeline.waiting,
            reloads=lambda: standing.counts,
            degraded=lambda: bool(standing.degraded),
        )
        processes = Processes(lambda: [each.pid for each in fleet.workers.values()])
        return Metrics(
            self._names,
            [
                *fleet_readings(lambda: fleet),
                *host_readings(company.counts),
                *own,
                *notifier_readings(self.notifiers.results, self.notifiers.waiting),
                *span_readings(self.traced.exporter.results),
                *processes.readings(),
                *store_readings(self.stored.writer, lambda: self._scribe.dropped),
                *budget_readings(lambda: self.spending.shown),
                *alert_readings(lambda: [each.facts for each in self.watching.firing]),
            ],
        )

    def _steps(self, settings: Settings) -> Steps:
        """Return what the pipeline is to do by `settings`."""
        plane, alerts = settings.data_plane, settings.alerts
        hosted = Hosted(plane, self._listed)
        hosted.prepare()
        self._scribe.adopt(plane.bodies, plane.previews.redact)
        writer, exporter = self.stored.writer, self.traced.exporter
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
                *([writer] if writer is not None else []),
                *([exporter] if settings.tracing is not None else []),
                *([self._exchanges] if settings.log_exchanges else []),
            ],
        )
