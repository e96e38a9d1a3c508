"""What is asked at each scrape of the store: what was written, dropped, and what waits."""

from collections.abc import Callable
from typing import Protocol

from proxy.sinks.metrics.cells import Reading


class Writer(Protocol):
    """Who writes observations into the store."""

    written: int
    dropped: int
    bodies_written: int
    bodies_dropped: int

    @property
    def queue(self) -> int:
        """How many wait."""
        ...

    @property
    def up(self) -> bool:
        """Whether the store takes what it is given."""
        ...


def store_readings(writer: Writer | None, bodies_lost: Callable[[], int]) -> list[Reading]:
    """Return what the store's writer says of itself; None: there is none, and it says nothing.

    `bodies_lost` returns how many exchanges' bodies never came as far as the writer.
    """

    def bodies() -> list[tuple[tuple[str, ...], float]]:
        if writer is None:
            return []
        dropped = writer.bodies_dropped + bodies_lost()
        return [(("written",), writer.bodies_written), (("dropped",), dropped)]

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
        Reading(
            "turnout_store_bodies_total",
            "Exchanges whose bodies were to be kept, as their routes say, by result: written, or"
            " dropped because there was no room for them on the way; the rest of such an exchange"
            " is on record, unless it was dropped too.",
            ("result",),
            bodies,
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
