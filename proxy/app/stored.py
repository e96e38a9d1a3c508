"""What is kept for good: versions, and requests, spending and summaries where they are."""

import time
from pathlib import Path

from proxy.config.settings import Settings
from proxy.store import open_store
from proxy.store.observations import Finding, ObservationWriter, Spending, open_observations
from proxy.store.summaries import Comparing

VERSIONS = "versions.db"  # in the data directory


class Stored:
    """The database, open, and what reads and writes there."""

    def __init__(self, settings: Settings) -> None:
        elsewhere = settings.store and settings.store.url
        self.versions = open_store(elsewhere or Path(settings.data_dir) / VERSIONS)
        self.observations: Finding | None = None
        self.compares: Comparing | None = None
        self.writer: ObservationWriter | None = None
        self.spent: Spending | None = None
        if settings.store is not None:
            engine = self.versions.engine
            self.spent, self.compares = Spending(engine), Comparing(engine)
            self.observations, self.writer = open_observations(
                engine, settings.store, clock=time.monotonic, wall=time.time, spending=self.spent
            )
