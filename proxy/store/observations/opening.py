"""Opening: the parts of the request store, put together and begun."""

from collections.abc import Callable

from sqlalchemy import Engine

from proxy.config.settings import StoreSettings
from proxy.store.observations.finding import Finding
from proxy.store.observations.forgetting import DAY, Forgetting
from proxy.store.observations.keeping import Keeping
from proxy.store.observations.spending import Spending
from proxy.store.observations.writer import ObservationWriter
from proxy.store.summaries import Folding

MIB = 2**20


def open_observations(
    engine: Engine,
    settings: StoreSettings,
    *,
    clock: Callable[[], float],
    wall: Callable[[], float],
    spending: Spending | None = None,
) -> tuple[Finding, ObservationWriter]:
    """Return what finds observations in a database, and what writes them there, begun.

    `clock` is monotonic, `wall` since the epoch, both in seconds.
    """
    longest = settings.keep_days * DAY
    forgetting = Forgetting(engine, seconds=longest, size=settings.keep_mb * MIB, wall=wall)
    folding = Folding(engine, seconds=longest, wall=wall)

    def tidy() -> bool:
        return folding.fold() or forgetting.forget()

    writer = ObservationWriter(Keeping(engine, spending).keep, tidy, clock=clock)
    writer.start()
    return Finding(engine), writer
