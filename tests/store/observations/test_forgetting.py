"""What is too old or too much leaves, the oldest first, a little at a time."""

import random
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy import Engine, func, select

from proxy.config.settings import StoreSettings
from proxy.exchange.observation import Observation
from proxy.store import open_store
from proxy.store.observations import Finding, Forgetting, Keeping, Wanted, open_observations
from proxy.store.observations.forgetting import DAY
from proxy.store.tables import BLOCK, OBSERVATIONS, SPANS
from tests.support.observed import observed

NOW = 100 * DAY


def aged(count: int, days: float, name: str = "req") -> list[Observation]:
    """Return observations that are so many days old, the first is the oldest."""
    return [
        observed(request_id=f"{name}-{number}", started_at=NOW - days * DAY + number)
        for number in range(count)
    ]


def forgetting(engine: Engine, days: float | None = None, size: int | None = None) -> Forgetting:
    seconds = None if days is None else days * DAY
    return Forgetting(engine, seconds=seconds, size=size, wall=lambda: NOW)


def left(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(OBSERVATIONS)) or 0


def weight(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.sum(SPANS.c.bytes))) or 0)


def test_what_is_too_old_is_taken_out_a_block_at_a_time(engine: Engine) -> None:
    keeping = Keeping(engine)
    keeping.keep(aged(2 * BLOCK + 100, 31, "old"))
    keeping.keep(aged(500, 1))
    tidy = forgetting(engine, days=30)
    before, most = left(engine), 0
    while tidy.forget():
        most, before = max(most, before - left(engine)), left(engine)
    assert most <= BLOCK
    assert left(engine) == 500
    found = Finding(engine).find(Wanted(), 1000)
    assert [each.observation.request_id for each in found][-1] == "req-0"


def test_on_a_quiet_turnout_too_nothing_stays_longer_than_it_may(engine: Engine) -> None:
    keeping = Keeping(engine)
    keeping.keep(aged(3, 31, "old"))
    keeping.keep(aged(2, 29))
    tidy = forgetting(engine, days=30)
    assert tidy.forget()
    assert not tidy.forget()
    assert {each.observation.request_id for each in Finding(engine).find(Wanted(), 9)} == {
        "req-0",
        "req-1",
    }


def test_a_clock_that_went_wrong_keeps_nothing_for_ever(engine: Engine) -> None:
    keeping = Keeping(engine)
    keeping.keep(aged(BLOCK, -1000, "future"))
    keeping.keep(aged(BLOCK, 31, "old"))
    tidy = forgetting(engine, days=30)
    while tidy.forget():
        pass
    assert left(engine) == BLOCK


def test_what_is_too_much_is_taken_out_the_oldest_first(engine: Engine) -> None:
    keeping = Keeping(engine)
    keeping.keep(aged(4 * BLOCK, 5))
    whole = weight(engine)
    tidy = forgetting(engine, size=whole // 2)
    while tidy.forget():
        pass
    assert whole * 0.2 < weight(engine) <= whole // 2
    newest = Finding(engine).find(Wanted(), 1)
    assert newest[0].observation.request_id == f"req-{4 * BLOCK - 1}"
    assert left(engine) == weight(engine) * 4 * BLOCK // whole


def test_what_may_stay_stays(engine: Engine) -> None:
    Keeping(engine).keep(aged(10, 5))
    assert not forgetting(engine).forget()
    assert not forgetting(engine, days=30, size=2**30).forget()
    assert left(engine) == 10


def test_an_empty_store_has_nothing_to_forget(engine: Engine) -> None:
    assert not forgetting(engine, days=1, size=1).forget()


def test_the_numbers_go_on_and_what_is_kept_afterwards_is_found(engine: Engine) -> None:
    keeping = Keeping(engine)
    keeping.keep(aged(10, 31, "old"))
    assert forgetting(engine, days=30).forget()
    keeping.keep(aged(10, 1))
    assert len(Finding(engine).find(Wanted(route="support"), 100)) == 10


def test_a_size_in_the_configuration_is_about_that_of_the_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "versions.db")
    keeping = Keeping(store.engine)
    dice = random.Random(1)
    ids = [f"req_{dice.getrandbits(128):032x}" for _ in range(20_000)]
    batch = [replace(each, request_id=i) for i, each in zip(ids, aged(20_000, 1), strict=True)]
    for start in range(0, len(batch), 1000):
        keeping.keep([replace(each, prompt_preview="x" * 100) for each in batch[start:][:1000]])
    counted = weight(store.engine)
    store.close()
    size = (tmp_path / "versions.db").stat().st_size
    assert 0.8 < counted / size < 1.25, (counted, size)


def test_the_parts_work_together(tmp_path: Path) -> None:
    store = open_store(tmp_path / "versions.db")
    finding, writer = open_observations(
        store.engine, StoreSettings(keep_days=30), clock=lambda: 0.0, wall=lambda: NOW
    )
    writer.take(aged(3, 31, "old"))
    writer.take(aged(2, 1))
    assert writer.close(30)
    assert (writer.written, writer.dropped, writer.queue) == (5, 0, 0)
    assert len(finding.find(Wanted(), 10)) <= 5
    store.close()
