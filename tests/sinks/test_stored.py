"""What the store's writer says of itself, at each scrape."""

from dataclasses import dataclass

from proxy.sinks.metrics.exchanges import Metrics
from proxy.sinks.metrics.names import Names
from proxy.sinks.metrics.stored import store_readings


@dataclass
class Writer:
    written: int = 7
    dropped: int = 2
    bodies_written: int = 4
    bodies_dropped: int = 1
    queue: int = 3
    up: bool = False


def shown(writer: Writer | None) -> list[str]:
    text = Metrics(Names(), store_readings(writer, lambda: 5)).render()[0].decode()
    return [line for line in text.splitlines() if line.startswith("turnout_store")]


def test_the_writer_is_asked_at_each_scrape() -> None:
    writer = Writer()
    assert shown(writer) == [
        "turnout_store_written_total 7.0",
        "turnout_store_dropped_total 2.0",
        'turnout_store_bodies_total{result="written"} 4.0',
        'turnout_store_bodies_total{result="dropped"} 6.0',
        "turnout_store_queue 3.0",
        "turnout_store_up 0.0",
    ]
    writer.up = True
    assert shown(writer)[-1] == "turnout_store_up 1.0"


def test_a_store_that_is_off_says_nothing() -> None:
    assert shown(None) == []
