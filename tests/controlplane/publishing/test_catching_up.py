"""Another process publishes too: it is followed, and nothing is changed that it has changed."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from proxy.config.settings import Origin
from proxy.controlplane.publishing import Misfit, Stale, Unavailable
from proxy.controlplane.publishing.change import Unknown
from proxy.controlplane.publishing.configuration.reading import Reading
from proxy.errors import Unsure
from proxy.rollout import digest
from tests.support.published import ANN, FILE, NOON, House

MORE = {"base": 90, "ft-v2": 10}
OWN_UPSTREAM = FILE.replace("{base: 100}", "{base: 60, ft-v2: 40}").replace("two", "three")


async def beside(house: House, text: str = FILE) -> House:
    """Return another turnout on the same store, with a file of its own."""
    folder = house.folder / "beside"
    folder.mkdir()
    other = House(folder, text)
    other.versions = house.versions
    return await other.open()


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return await House(tmp_path).open()


@pytest.fixture
async def other(house: House) -> House:
    return await beside(house)


async def test_of_two_that_begin_at_once_one_publishes_the_file(tmp_path: Path) -> None:
    house = House(tmp_path)
    made = (await House(tmp_path).open()).publisher.current
    house.versions.before_append = lambda: house.versions.kept.append(made)
    await house.open()
    assert house.versions.kept == [made]
    assert house.standing.last is not None
    assert house.standing.last.result == "unchanged"


async def test_what_another_published_is_put_in_force(house: House, other: House) -> None:
    await other.split(**MORE)
    await house.publisher.catch_up()
    assert house.publisher.current == other.publisher.current
    assert house.weights() == (90.0, 10.0)
    assert house.adopted[-1] == house.publisher.settings
    pushed = len(house.pushed)
    await house.publisher.catch_up()
    assert len(house.pushed) == pushed, "there was nothing new"
    assert [entry.version for entry in house.versions.entries] == [1, 2], "each once"


async def test_a_change_that_another_was_faster_with_is_refused_and_may_be_asked_for_again(
    house: House, other: House
) -> None:
    await other.split(**MORE)
    await other.split(**{"base": 80, "ft-v2": 20})
    with pytest.raises(Stale) as stale:
        await house.split(**{"base": 70, "ft-v2": 30})
    assert stale.value.current.number == 3
    assert [version.number for version in stale.value.since] == [3, 2]
    assert house.weights() == (80.0, 20.0), "what is in force is known now"
    assert house.versions.entries[-1].result == "refused"
    assert (await house.split(**{"base": 70, "ft-v2": 30})).version.number == 4


async def test_a_change_may_be_made_against_a_version_that_is_news_here(
    house: House, other: House
) -> None:
    await other.split(**MORE)
    published = await house.publish(lambda now: now | {"pass_unknown_models": False}, base=2)
    assert published.version.number == 2
    with pytest.raises(Stale):
        await house.publish(lambda now: now, base=1)


@pytest.mark.parametrize("moment", ["before", "while it is read"])
async def test_a_file_that_others_have_published_as_well_is_published_once(
    house: House, other: House, moment: str
) -> None:
    text = FILE.replace("{base: 100}", "{base: 60, ft-v2: 40}")
    other.write(text)
    house.write(text)

    await other.publisher.reload(ANN)
    made = house.versions.kept[-1]
    if moment == "while it is read":
        house.versions.kept.pop()
        house.versions.before_append = lambda: house.versions.kept.append(made)
    reloaded = await house.publisher.reload(ANN)
    assert (reloaded.result, reloaded.version) == ("unchanged", made)
    assert house.weights() == (60.0, 40.0)
    assert house.versions.kept[1:] == [made]


async def test_where_the_answer_was_lost_it_is_said_and_found_out_later(house: House) -> None:
    def lost() -> None:
        house.versions.after_append = lambda: None
        house.versions.broken = True
        raise Unsure("the store can't be written: the line is dead")

    house.versions.after_append = lost
    with pytest.raises(Unknown, match="whether it was kept is not known"):
        await house.split(**MORE)
    assert house.publisher.current.number == 1
    with pytest.raises(Unavailable, match="can't be read"):
        await house.publisher.catch_up()

    house.versions.broken = False
    await house.publisher.catch_up()
    assert house.weights() == (90.0, 10.0)
    last = house.versions.entries[-1]
    assert (last.result, last.version, last.who) == ("done", 2, "ann")
    assert last.detail == "version 2 was kept after all, and is in force"
    assert (await house.split(base=100)).version.number == 3


async def test_where_it_was_not_kept_that_is_written_down(house: House) -> None:
    def lost() -> None:
        house.versions.before_append = lambda: None
        raise Unsure("the store can't be written: the line is dead")

    house.versions.before_append = lost
    with pytest.raises(Unknown):
        await house.split(**MORE)
    await house.publisher.catch_up()
    last = house.versions.entries[-1]
    assert (last.result, last.detail) == ("failed", "it was not kept: nothing was changed")
    assert house.publisher.current.number == 1


async def test_a_store_that_lost_what_it_had_is_said_to(house: House) -> None:
    await house.split(**MORE)
    house.versions.kept.pop()
    house.versions.kept.pop()
    with pytest.raises(Unavailable, match="version 2 is in force, but the store has not kept it"):
        await house.split(**{"base": 70, "ft-v2": 30})
    assert house.publisher.current.number == 2


async def test_a_version_that_does_not_fit_the_file_here_leaves_the_last_in_force(
    house: House,
) -> None:
    await beside(house, OWN_UPSTREAM)
    await house.publisher.catch_up()
    assert house.publisher.current.number == 1
    assert house.pushed == []
    assert "version 2 does not fit" in house.standing.degraded[0]
    assert "three" in house.standing.degraded[0]
    with pytest.raises(Misfit, match="three"):
        await house.split(**MORE)

    house.write(OWN_UPSTREAM)
    reloaded = await house.publisher.reload(ANN)
    assert (reloaded.result, reloaded.version.number) == ("unchanged", 2)
    assert house.weights() == (60.0, 40.0)
    assert house.standing.degraded == ()
    assert (await house.split(**MORE)).version.number == 3


async def test_a_rollback_goes_over_a_version_that_does_not_fit(house: House) -> None:
    await beside(house, OWN_UPSTREAM)
    with pytest.raises(Stale, match="version 2 is in force elsewhere, and does not fit") as stale:
        await house.publisher.rollback(None, None, caller=ANN, why="", base=1)
    assert not stale.value.fits
    published = await house.publisher.rollback(None, None, caller=ANN, why="", base=2)
    version = published.version
    assert (version.number, version.restored, version.undone) == (3, 1, 2)
    assert published.changed
    assert house.publisher.current == version
    assert house.weights() == (100.0, 0.0)
    assert house.standing.degraded == ()


async def test_a_file_that_says_something_else_goes_over_a_version_that_does_not_fit(
    house: House,
) -> None:
    await beside(house, OWN_UPSTREAM)
    await house.publisher.catch_up()
    house.write(FILE.replace("{base: 100}", "{base: 30, ft-v2: 70}"))
    reloaded = await house.publisher.reload(ANN)
    assert (reloaded.result, reloaded.version.number) == ("published", 3)
    assert house.weights() == (30.0, 70.0)
    assert house.standing.degraded == ()


async def test_what_others_publish_waits_while_another_turnout_takes_over(
    house: House, other: House
) -> None:
    house.publisher.hold("another turnout takes over")
    await other.split(**MORE)
    await house.publisher.catch_up()
    assert house.publisher.current.number == 1
    await house.publisher.release()
    assert house.publisher.current.number == 2
    assert house.now > NOON


async def test_a_store_that_is_away_when_nobody_took_over_is_followed_later(
    house: House, other: House
) -> None:
    house.publisher.hold("another turnout takes over")
    await other.split(**MORE)
    house.versions.broken = True
    await house.publisher.release()
    house.versions.broken = False
    await house.publisher.catch_up()
    assert house.publisher.current.number == 2


SHARED = FILE + "store: {url: postgresql://db/turnout}\n"
NEWER = SHARED.replace("{base: 100}", "{base: 60, ft-v2: 40}")


async def sharing(house: House, text: str, name: str) -> House:
    """Return a host that shares the store of `house`, with a file and a folder of its own."""
    folder = house.folder / name
    folder.mkdir()
    other = House(folder, text)
    other.versions = house.versions
    return await other.open()


async def test_a_host_with_an_outdated_copy_of_the_file_starts_again_on_what_is_in_force(
    tmp_path: Path,
) -> None:
    house = await House(tmp_path, SHARED).open()
    await sharing(house, NEWER, "newer")
    await house.again()
    assert house.standing.last is not None
    assert (house.standing.last.result, house.publisher.current.number) == ("outdated", 2)
    assert (await house.publisher.reload(ANN)).result == "outdated"

    fresh = await sharing(house, SHARED, "fresh")
    assert fresh.standing.last is not None
    assert (fresh.standing.last.result, fresh.publisher.current.number) == ("outdated", 2)
    fresh.write(SHARED + "revision: 1\n")
    assert (await fresh.publisher.reload(ANN)).result == "published"


async def test_a_file_that_is_taken_back_on_all_hosts_is_published_once(tmp_path: Path) -> None:
    house = await House(tmp_path, SHARED).open()
    other = await sharing(house, NEWER, "other")
    house.write(NEWER)
    assert (await house.publisher.reload(ANN)).result == "unchanged"
    for each in (house, other):
        each.write(SHARED)
    assert (await house.publisher.reload(ANN)).result == "published"
    await other.again()
    assert other.standing.last is not None
    assert (other.standing.last.result, other.publisher.current.number) == ("unchanged", 3)


async def test_a_host_starts_on_the_last_version_that_fits_its_file(tmp_path: Path) -> None:
    house = await House(tmp_path, SHARED).open()
    await sharing(house, NEWER.replace("two", "three"), "other")
    await house.again()
    assert house.publisher.current.number == 1
    assert "version 2 does not fit" in house.standing.degraded[0]
    assert len(house.versions.kept) == 2

    renamed = SHARED.replace("one", "four").replace("two", "five")
    folder = tmp_path / "third"
    folder.mkdir()
    third = House(folder, renamed)
    third.versions = house.versions
    last = house.versions.kept[-1]
    house.versions.kept.append(replace(last, number=3, digest=digest_of(renamed, folder)))
    with pytest.raises(Unavailable, match="neither version 3 nor one of those before it fits"):
        await third.open()


def digest_of(text: str, folder: Path) -> str:
    """Return the digest of what a file says of routes."""
    file = folder / "said.yaml"
    file.write_text(text, encoding="utf-8")
    declared = Reading(Origin(file=str(file)), {}).read()
    return digest(declared.contents)
