"""Whoever hands observations over never waits, and everything that was handed over is counted."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog

from proxy.errors import StoreError
from proxy.exchange.observation import Bodies, Observation
from proxy.store.observations import writer as module
from proxy.store.observations.writer import BATCH, GIVE_UP_SECONDS, HUNG_SECONDS, ObservationWriter
from tests.support.observed import observed

PATIENCE = 30.0


class Database:
    """Takes batches, or fails, or hangs."""

    def __init__(self) -> None:
        self.batches: list[list[Observation]] = []
        self.tries = 0
        self.error: Exception | None = None
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Semaphore(0)
        self.old = 0
        self.now = 0.0

    def keep(self, batch: list[Observation]) -> None:
        self.tries += 1
        self.entered.release()
        assert self.open.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        self.batches.append(list(batch))

    def forget(self) -> bool:
        self.old -= 1
        return self.old >= 0

    def clock(self) -> float:
        return self.now

    @property
    def ids(self) -> list[str]:
        return [each.request_id for batch in self.batches for each in batch]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.01)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@contextmanager
def writing(database: Database, limit: int = 10) -> Iterator[ObservationWriter]:
    writer = ObservationWriter(
        database.keep,  # type: ignore[arg-type]  # a list is what it gets
        database.forget,
        clock=database.clock,
        limit=limit,
    )
    writer.start()
    yield writer
    database.open.set()
    writer.close(0 if database.error else PATIENCE)


def some(count: int, first: int = 0) -> list[Observation]:
    return [observed(request_id=f"r{first + number}") for number in range(count)]


def until(writer: ObservationWriter, reached: Callable[[], bool]) -> None:
    with writer._changed:
        assert writer._changed.wait_for(reached, PATIENCE)


def up(writer: ObservationWriter) -> bool:
    return writer.up


def sums(writer: ObservationWriter) -> tuple[int, int, int]:
    return writer.written, writer.dropped, writer.queue


def test_what_is_taken_is_written_in_order() -> None:
    database = Database()
    with writing(database) as writer:
        writer.take(some(3))
        writer.take(some(2, first=3))
        assert writer.flush(PATIENCE)
        assert sums(writer) == (5, 0, 0)
        assert up(writer)
    assert database.ids == ["r0", "r1", "r2", "r3", "r4"]


def test_a_batch_holds_only_so_many() -> None:
    database = Database()
    with writing(database, limit=5 * BATCH) as writer:
        writer.take(some(2 * BATCH + 1))
        assert writer.flush(PATIENCE)
    assert max(map(len, database.batches)) == BATCH
    assert len(database.ids) == 2 * BATCH + 1


def test_while_the_store_hangs_the_queue_fills_and_the_rest_is_dropped_and_counted() -> None:
    database = Database()
    database.open.clear()
    with writing(database) as writer:
        writer.take(some(4))
        assert database.entered.acquire(timeout=PATIENCE)
        for number in range(5):
            writer.take(some(3, first=10 * number))
        assert sums(writer) == (0, 9, 10)
        assert up(writer)
        database.now = HUNG_SECONDS
        assert not up(writer)
        database.open.set()
        assert writer.flush(PATIENCE)
        assert sums(writer) == (10, 9, 0)
        assert up(writer)


def test_while_the_store_is_down_a_batch_is_tried_again_until_it_is_written() -> None:
    database = Database()
    database.error = StoreError("no disk")
    with writing(database) as writer:
        writer.take(some(4))
        for _ in range(3):
            assert database.entered.acquire(timeout=PATIENCE)
        assert not up(writer)
        assert sums(writer) == (0, 0, 4)
        writer.take(some(20, first=4))
        assert sums(writer) == (0, 14, 10)
        database.error = None
        assert writer.flush(PATIENCE)
        assert sums(writer) == (10, 14, 0)
        assert up(writer)
    assert database.ids == [f"r{number}" for number in range(10)]


@pytest.mark.parametrize(
    "error", [StoreError("never"), OverflowError(), UnicodeError(), TypeError()]
)
def test_a_batch_that_can_never_be_written_does_not_hold_up_others(error: Exception) -> None:
    database = Database()
    database.error = error
    with writing(database) as writer:
        writer.take(some(2))
        assert database.entered.acquire(timeout=PATIENCE)
        assert database.entered.acquire(timeout=PATIENCE)
        database.now = GIVE_UP_SECONDS
        until(writer, lambda: writer.dropped == 2)
        database.error = None
        writer.take(some(1, first=2))
        assert writer.flush(PATIENCE)
        assert sums(writer) == (1, 2, 0)


def test_at_the_end_what_waits_is_written_and_nothing_more_is_taken() -> None:
    database = Database()
    with writing(database) as writer:
        writer.take(some(5))
        assert writer.close(PATIENCE)
        writer.take(some(2))
        assert sums(writer) == (5, 2, 0)


def test_the_end_waits_only_so_long_and_counts_what_it_leaves() -> None:
    database = Database()
    database.open.clear()
    with writing(database) as writer:
        writer.take(some(5))
        assert database.entered.acquire(timeout=PATIENCE)
        assert not writer.close(0.01)
        assert sums(writer) == (0, 5, 0)
        database.open.set()
        writer._thread.join(PATIENCE)
        assert sums(writer) == (0, 5, 0)


def test_what_is_old_is_forgotten_between_batches_and_a_failure_there_stops_nothing() -> None:
    database = Database()
    database.old = 3
    with writing(database) as writer:
        writer.take(some(1))
        assert writer.flush(PATIENCE)
    assert database.old < 0

    def fail() -> bool:
        raise StoreError("no disk")

    writer = ObservationWriter(lambda _: None, fail, clock=lambda: 0.0)
    writer.start()
    writer.take(some(1))
    assert writer.close(PATIENCE)
    assert writer.written == 1


def test_while_the_store_is_slow_it_gets_what_it_can_take_and_the_rest_is_counted() -> None:
    database = Database()
    with writing(database) as writer:
        for round_ in range(10):
            database.open.clear()
            writer.take(some(15, first=100 * round_))
            assert database.entered.acquire(timeout=PATIENCE)
            assert sum(sums(writer)) == 15 * (round_ + 1)
            database.open.set()
            assert writer.flush(PATIENCE)
        assert sum(sums(writer)) == 150
        assert writer.written == len(database.ids) == 100


def test_long_previews_fill_the_queue_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_CHARS", 1000)
    database = Database()
    database.open.clear()
    with writing(database) as writer:
        writer.take([observed(prompt_preview="p" * 300, response_preview="r" * 100)] * 3)
        assert sums(writer) == (0, 1, 2)
        database.open.set()
        assert writer.flush(PATIENCE)
        writer.take([observed(prompt_preview="p" * 1000, response_preview=None)])
        assert writer.flush(PATIENCE)
        assert sums(writer) == (3, 1, 0)


def test_where_only_bodies_find_no_room_the_rest_is_kept_and_both_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "QUEUE_CHARS", 1000)
    database = Database()
    database.open.clear()
    bodies = Bodies(b"q" * 300, b"r" * 300)
    seen = observed(bodies=bodies, prompt_preview="p" * 10, response_preview=None)
    with writing(database) as writer:
        writer.take([seen] * 3)
        assert sums(writer) == (0, 0, 3)
        assert (writer.bodies_written, writer.bodies_dropped) == (0, 2)
        writer.take([seen] * 20)
        assert writer.bodies_dropped == 22
        database.open.set()
        assert writer.flush(PATIENCE)
        assert (writer.bodies_written, writer.bodies_dropped) == (1, 22)
        database.open.clear()
        writer.take([seen])
        assert not writer.close(0.01)
        writer.take([seen])
        assert (writer.bodies_written, writer.bodies_dropped) == (1, 24)
        database.open.set()


def test_bodies_of_a_batch_that_can_never_be_written_are_counted() -> None:
    database = Database()
    database.error = StoreError("never")
    with writing(database) as writer:
        writer.take([observed(bodies=Bodies(b"q", b"r"))])
        assert database.entered.acquire(timeout=PATIENCE)
        assert database.entered.acquire(timeout=PATIENCE)
        database.now = GIVE_UP_SECONDS
        until(writer, lambda: writer.dropped == 1)
        assert (writer.bodies_written, writer.bodies_dropped) == (0, 1)
