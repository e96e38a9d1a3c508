"""What is asked at each scrape of the store: what was written, dropped, and what waits."""

from collections.abc import Callable
from typing import Protocol

from proxy.sinks.metrics.cells import Reading


class Writer(Protocol):
    """Who writes observations into the store."""

    written: int
    dropped: int

    @property
    def queue(self) -> int:
        """How many wait."""
        ...

    @property
    def up(self) -> bool:
        """Whether the store takes what it is given."""
        ...


def store_readings(writer: Writer | None) -> list[Reading]:
    """Return what the store's writer says of itself; None: there is none, and it says nothing."""

    def reading(name: str, text: str, value: Callable[[Writer], float]) -> Reading:
        return Reading(name, text, (), lambda: [] if writer is None else [((), value(writer))])

    return [
        reading(
            "turnout_store_written_total",
            "Observations written to the store.",
            lambda writer: writer.written,
        ),
        reading(
            "turnout_store_dropped_total",
            "Observations that the store did not get: it was down, hung, full or behind for longer"
            " than the queue lasts.",
            lambda writer: writer.dropped,
        ),
        reading(
            "turnout_store_queue",
            "Observations that wait to be written to the store.",
            lambda writer: writer.queue,
        ),
        reading(
            "turnout_store_up",
            "1: the store takes what it is given; 0: writing fails or hangs, and is tried again.",
            lambda writer: writer.up,
        ),
    ]
