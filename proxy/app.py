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
from typing import TYPE_CHECKING, Any

from proxy import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from prometheus_client import CollectorRegistry

    from proxy.channel import Tally
    from proxy.channel.lifeline import WorkerLaunch
    from proxy.config.settings import Settings, UpstreamSettings
    from proxy.controlplane.admin.lately import Lately
    from proxy.controlplane.control import Record
    from proxy.controlplane.fleet import Fleet
    from proxy.controlplane.pipeline import Pipeline
    from proxy.controlplane.publishing.configuration.standing import Standing
    from proxy.dataplane.service import Service
    from proxy.exchange import Observation
    from proxy.store import Store
    from proxy.upstream import Upstream

VERSIONS = "versions.db"  # in the data directory
COUNTING_SECONDS = 5.0  # at the end, for tokens that are still to be counted
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
    """What control sees of the record: it takes observations, adopts settings, renders metrics."""

    def __init__(
        self,
        *,
        versions: "Store",
        lately: "Lately",
        pipeline: "Pipeline",
        adopt: "Callable[[Settings], None]",
        registry: "CollectorRegistry",
    ) -> None:
        self.versions = versions
        self.lately = lately
        self._pipeline = pipeline
        self._adopt = adopt
        self._registry = registry

    def take(self, worker: int, observations: "Sequence[Observation]") -> None:
        """Take what a worker handed over."""
        self._pipeline.take(worker, observations)

    def adopt(self, settings: "Settings") -> None:
        """Do as `settings` say from now on."""
        self._adopt(settings)

    def render(self) -> tuple[bytes, str]:
        """Return the metrics in Prometheus' text format, and its content type."""
        from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4


@asynccontextmanager
async def compose_control(
    settings: "Settings", fleet: "Fleet", standing: "Standing"
) -> "AsyncIterator[Record]":
    """Run what keeps the record: versions, metrics, log, token counts, alerts."""
    from proxy.alerting import Rules
    from proxy.controlplane.admin.lately import Lately
    from proxy.controlplane.pipeline import Pipeline
    from proxy.notifiers import WebhookNotifier
    from proxy.sinks.log import AlertLog, ExchangeLog, UpstreamLog, configure
    from proxy.sinks.metrics import Metrics, Names, fleet_readings, own_readings
    from proxy.sinks.redaction import Redactor
    from proxy.store import open_store
    from proxy.tokens import TokenCounter

    lines = configure(settings.log_format, sys.stdout)
    fleet.watch(UpstreamLog().see)
    names, counter, exchanges, lately = (
        Names(),
        TokenCounter(),
        ExchangeLog(),
        Lately(time.monotonic),
    )
    webhook = WebhookNotifier(
        settings.alerts.webhook,
        agent=f"turnout/{__version__}",
        clock=time.monotonic,
        dice=random.random,
    )
    readings = own_readings(
        version=__version__,
        python=platform.python_version(),
        log_dropped=lambda: lines.dropped,
        uncounted=lambda: pipeline.uncounted,
        notified=webhook.results,
        reloads=lambda: standing.counts,
        degraded=lambda: bool(standing.degraded),
    )
    metrics = Metrics(names, [*fleet_readings(lambda: fleet), *readings])

    def parts(settings: "Settings") -> dict[str, Any]:
        plane, alerts = settings.data_plane, settings.alerts
        return {
            "count": counter.count if plane.count_tokens else None,
            "redact": Redactor(plane.previews).redact,
            "judge": Rules(alerts.default, alerts.routes).judge,
            "sinks": [metrics, exchanges] if settings.log_exchanges else [metrics],
        }

    def adopt(settings: "Settings") -> None:
        names.adopt(settings.data_plane.table, settings.data_plane.upstreams)
        pipeline.adopt(**parts(settings))
        webhook.adopt(settings.alerts.webhook)

    pipeline = Pipeline(**parts(settings), tellers=[AlertLog(), metrics, webhook, lately])
    versions = open_store(Path(settings.data_dir) / VERSIONS)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pipeline.run())
        tasks.create_task(webhook.run())
        yield Kept(
            versions=versions,
            lately=lately,
            pipeline=pipeline,
            adopt=adopt,
            registry=metrics.registry(),
        )
        await pipeline.close(COUNTING_SECONDS)
        await webhook.close(TELLING_SECONDS)
    versions.close()


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
