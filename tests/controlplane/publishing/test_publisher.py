"""Changes of the routing: what gets in force, what is refused, what is written down."""

import asyncio
import threading
from pathlib import Path

import pytest

from proxy.controlplane.publishing import Misfit, Stale, Unavailable, turns
from proxy.controlplane.publishing.change import Unknown
from proxy.errors import ChangeError
from proxy.rollout import Contents, Source, changes
from tests.support.published import ANN, FILE, House


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return await House(tmp_path).open()


async def test_a_change_is_kept_pushed_and_answered_with_how_far_it_came(house: House) -> None:
    published = await house.split(**{"base": 90, "ft-v2": 10})

    version = published.version
    assert (version.number, version.parent, version.source) == (2, 1, Source.CLI)
    assert (version.who, version.why) == ("ann", "a try")
    assert house.versions.kept[-1] == version == house.publisher.current
    assert house.weights() == (90.0, 10.0)
    assert house.pushed[-1].table.version == 2
    assert house.pushed[-1].table.digest == version.digest
    assert house.adopted[-1] == house.publisher.settings
    assert (published.changed, published.workers, published.of) == (True, 2, 2)
    assert published.milliseconds == pytest.approx(2.0, abs=0.01)


async def test_what_is_so_already_makes_no_version_and_is_in_force_on_all_workers(
    house: House,
) -> None:
    first = await house.split(**{"base": 90, "ft-v2": 10})
    again = await house.split(**{"base": 90, "ft-v2": 10})

    assert (again.changed, again.version, again.workers) == (False, first.version, 2)
    assert len(house.versions.kept) == 2


async def test_a_change_against_another_version_is_refused_with_what_happened_since(
    house: House,
) -> None:
    await house.split(**{"base": 90, "ft-v2": 10})
    await house.split(**{"base": 80, "ft-v2": 20})

    with pytest.raises(Stale) as stale:
        await house.publish(lambda now: now, base=1)

    assert stale.value.current.number == 3
    assert [version.number for version in stale.value.since] == [3, 2]
    assert (await house.publish(lambda now: now, base=3)).changed is False


async def test_a_change_that_can_not_be_made_changes_nothing(house: House) -> None:
    def change(contents: Contents) -> Contents:
        return changes.split(contents, "nowhere", {"base": 1})

    with pytest.raises(ChangeError, match="nowhere"):
        await house.publish(change)
    assert house.publisher.current.number == 1
    assert house.pushed == []


async def test_a_routing_that_can_not_be_served_is_refused_with_every_problem(
    house: House,
) -> None:
    def change(contents: Contents) -> Contents:
        added = changes.add_variant(contents, "support", "x", {"upstream": "nowhere"})
        return changes.add_variant(added, "support", "y", {"upstream": "no-place"})

    with pytest.raises(Misfit) as misfit:
        await house.publish(change)
    assert len(misfit.value.problems) == 2
    assert "nowhere" in misfit.value.problems[0]
    assert len(house.versions.kept) == 1


async def test_what_can_not_be_kept_is_not_put_in_force(house: House) -> None:
    house.versions.broken = True

    with pytest.raises(Unavailable, match="the disk is full"):
        await house.split(**{"base": 90, "ft-v2": 10})
    assert house.pushed == []
    assert house.publisher.current.number == 1

    house.versions.broken = False
    assert (await house.split(**{"base": 90, "ft-v2": 10})).version.number == 2


async def test_changes_at_the_same_time_are_made_one_after_the_other(house: House) -> None:
    weights = [{"base": 100.0 - share, "ft-v2": float(share)} for share in range(1, 21)]

    published = await asyncio.gather(*(house.split(**each) for each in weights))

    assert sorted(each.version.number for each in published) == list(range(2, 22))
    assert [plane.table.version for plane in house.pushed] == list(range(2, 22))


async def test_a_change_is_made_though_who_asked_has_gone(house: House) -> None:
    reached, on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait() -> None:
        loop.call_soon_threadsafe(reached.set)
        asyncio.run_coroutine_threadsafe(on.wait(), loop).result(10)

    house.versions.before_append = wait
    asking = asyncio.create_task(house.split(**{"base": 90, "ft-v2": 10}))
    await reached.wait()
    asking.cancel()
    on.set()
    await asyncio.wait([asking])
    await house.publisher.close()

    assert asking.cancelled()
    assert house.publisher.current.number == 2
    assert house.weights() == (90.0, 10.0)


async def test_who_asked_is_told_when_it_takes_long_that_it_may_still_be_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "ANSWER_SECONDS", 0.01)
    on = threading.Event()

    def wait() -> None:
        assert on.wait(10)

    house.versions.before_append = wait
    with pytest.raises(Unknown, match="may still be done"):
        await house.split(**{"base": 90, "ft-v2": 10})
    on.set()
    await house.publisher.close()
    assert house.weights() == (90.0, 10.0)


async def test_every_change_is_written_down_refused_ones_too(house: House) -> None:
    await house.split(**{"base": 90, "ft-v2": 10})
    with pytest.raises(ChangeError):
        await house.split(nobody=1)
    with pytest.raises(Stale):
        await house.publish(lambda now: now, base=1)
    await house.split(**{"base": 90, "ft-v2": 10})

    entries = house.versions.entries[1:]
    assert [(each.result, each.version) for each in entries] == [
        ("done", 2),
        ("refused", None),
        ("refused", None),
        ("done", None),
    ]
    assert all(
        (each.who, each.origin, each.why) == ("ann", "127.0.0.1", "a try") for each in entries
    )
    assert entries[0].detail == "version 2 is in force on 2 of 2 workers"
    assert "nobody" in entries[1].detail
    assert "version 2 is in force" in entries[2].detail


async def test_late_workers_are_named_in_answer_and_audit(house: House) -> None:
    house.late = (1,)
    published = await house.split(**{"base": 90, "ft-v2": 10})

    assert (published.workers, published.late) == (1, (1,))
    assert house.versions.entries[-1].detail.endswith("late and replaced: 1")


async def test_a_rollback_publishes_the_contents_of_an_earlier_version(house: House) -> None:
    await house.split(**{"base": 50, "ft-v2": 50})
    published = await house.publisher.rollback("support", None, caller=ANN, why="worse")

    version = published.version
    assert (version.number, version.source, version.route) == (3, Source.ROLLBACK, "support")
    assert (version.restored, version.undone) == (1, 2)
    assert version.digest == house.versions.kept[0].digest
    assert house.weights() == (100.0, 0.0)
    assert house.versions.entries[-1].action == "rollback"


async def test_a_rollback_goes_to_the_version_that_is_named(house: House) -> None:
    for share in (10, 20, 30):
        await house.split(**{"base": 100 - share, "ft-v2": share})

    published = await house.publisher.rollback(None, 2, caller=ANN, why="")

    assert house.weights() == (90.0, 10.0)
    assert (published.version.restored, published.version.undone) == (2, 4)
    with pytest.raises(ChangeError, match="there is no version 99"):
        await house.publisher.rollback(None, 99, caller=ANN, why="")


async def test_rollbacks_look_beyond_a_page_of_versions(house: House) -> None:
    for share in range(1, 60):
        await house.split(**{"base": 100 - share, "ft-v2": share})
    await house.publisher.rollback(None, 2, caller=ANN, why="")

    published = await house.publisher.rollback(None, None, caller=ANN, why="")

    assert published.version.restored == 1
    assert house.weights() == (100.0, 0.0)


async def test_nothing_is_changed_while_another_takes_over(house: House) -> None:
    house.publisher.hold("another turnout takes over")
    with pytest.raises(Unavailable, match="another turnout takes over"):
        await house.split(**{"base": 90, "ft-v2": 10})
    assert house.versions.entries[-1].result == "failed"

    await house.publisher.release()
    assert (await house.split(**{"base": 90, "ft-v2": 10})).changed


async def test_what_a_turnout_that_did_not_take_over_has_kept_is_put_in_force(
    house: House,
) -> None:
    house.publisher.hold("another turnout takes over")
    other = House(house.folder, FILE.replace("{base: 100}", "{base: 60, ft-v2: 40}"))
    other.versions = house.versions
    await other.open()
    assert house.pushed == []

    await house.publisher.release()

    assert house.publisher.current.number == 2
    assert house.weights() == (60.0, 40.0)
    assert (await house.split(**{"base": 90, "ft-v2": 10})).version.number == 3


async def test_what_it_has_kept_is_gone_back_from_where_it_does_not_fit(house: House) -> None:
    house.publisher.hold("another turnout takes over")
    other = House(house.folder, FILE.replace("two", "three"))
    other.versions = house.versions
    await other.open()

    await house.publisher.release()

    version = house.publisher.current
    assert (version.number, version.restored, version.undone) == (3, 1, 2)
    assert house.weights() == (100.0, 0.0)
