"""What control runs beside its own work, and in which order it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proxy.app.record import Kept
from proxy.config.settings import Settings
from proxy.controlplane.control import Record
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.hosts.company import Company
from proxy.controlplane.publishing.configuration.standing import Standing
from proxy.store import Hosts

COUNTING_SECONDS = 5.0  # at the end, for tokens that are still to be counted
STORING_SECONDS = 3.0  # at the end, for what waits to be stored
TELLING_SECONDS = 5.0  # at the end, for alerts that are still to be posted
TRACING_SECONDS = 3.0  # at the end, for spans that wait


@asynccontextmanager
async def compose_control(
    settings: Settings, fleet: Fleet, standing: Standing, company: Company
) -> AsyncIterator[Record]:
    """Run what keeps the record of exchanges and of the routing."""
    kept = Kept(settings, fleet, standing, company)
    stored, told, traced = kept.stored, kept.told, kept.traced
    if settings.store is not None and settings.store.url is not None:
        company.shared = Hosts(stored.versions.engine)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(kept.pipeline.run())
        tasks.create_task(told.notifiers.run())
        tasks.create_task(traced.exporter.run())
        telling = tasks.create_task(told.telling.run())
        beside = [
            tasks.create_task(each.run())
            for each in (kept.spending, kept.silencing, kept.watching)
        ]
        yield kept
        for task in beside:
            task.cancel()
        await kept.pipeline.close(COUNTING_SECONDS)
        telling.cancel()
        told.telling.end()
        await asyncio.gather(
            told.notifiers.close(TELLING_SECONDS), traced.exporter.close(TRACING_SECONDS)
        )
        if stored.writer is not None:
            await asyncio.to_thread(stored.writer.close, STORING_SECONDS)
    stored.versions.close()
