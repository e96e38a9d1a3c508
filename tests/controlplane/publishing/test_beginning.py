"""What a start puts in force: of the file, of the last good one, of the versions kept."""

from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from proxy.errors import ConfigError
from proxy.rollout import Source
from tests.support.published import ANN, FILE, House

OTHER = FILE.replace("{base: 100}", "{base: 70, ft-v2: 30}")
BAD = FILE.replace("upstream: two", "upstream: three")


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return await House(tmp_path).open()


def split_in_force(house: House) -> tuple[float, ...]:
    return house.publisher.settings.data_plane.table.routes["support"].weights


async def test_the_first_start_publishes_what_the_file_says(house: House) -> None:
    version = house.publisher.current

    assert (version.number, version.parent, version.source) == (1, None, Source.FILE)
    assert (version.who, version.why) == ("file", "first start")
    assert split_in_force(house) == (100.0, 0.0)
    assert house.versions.entries[-1].version == 1
    assert house.standing.last is not None
    assert house.standing.last.result == "published"


async def test_a_restart_is_no_change(house: House) -> None:
    before = house.publisher.current
    await house.again()

    assert house.publisher.current == before
    assert len(house.versions.entries) == 1
    assert house.standing.last is not None
    assert house.standing.last.result == "unchanged"


async def test_a_rollback_by_hand_survives_a_restart_with_the_file_unchanged(
    house: House,
) -> None:
    house.write(OTHER)
    await house.publisher.reload(ANN)
    await house.publisher.rollback(None, None, caller=ANN, why="worse")
    await house.again()

    assert house.publisher.current.number == 3
    assert house.publisher.current.source is Source.ROLLBACK
    assert split_in_force(house) == (100.0, 0.0)


async def test_a_file_that_changed_while_turnout_did_not_run_is_published(house: House) -> None:
    house.write(OTHER)
    await house.again()

    version = house.publisher.current
    assert (version.number, version.why) == (2, "changed while turnout did not run")
    assert split_in_force(house) == (70.0, 30.0)


async def test_a_version_that_was_appended_and_not_answered_is_in_force_and_audited(
    house: House,
) -> None:
    await house.split(**{"base": 90, "ft-v2": 10})
    house.versions.entries.pop()  # as a crash between append and answer leaves it
    await house.again()

    assert house.publisher.current.number == 2
    assert split_in_force(house) == (90.0, 10.0)
    last = house.versions.entries[-1]
    assert (last.action, last.version, last.who, last.result) == ("start", 2, "ann", "done")


async def test_a_restart_after_many_refusals_is_not_audited_as_a_change(house: House) -> None:
    refused = msgspec.structs.replace(house.versions.entries[-1], result="refused", version=None)
    house.versions.entries += [refused] * 150
    count = len(house.versions.entries)
    await house.again()
    assert len(house.versions.entries) == count


async def test_a_start_on_a_bad_file_is_made_with_the_last_good_one(house: House) -> None:
    await house.split(**{"base": 90, "ft-v2": 10})
    house.write(BAD)
    await house.again()

    assert house.publisher.current.number == 2
    assert split_in_force(house) == (90.0, 10.0)
    assert "three" in house.standing.last.problems[0]  # type: ignore[union-attr]  # it was read
    assert len(house.standing.degraded) == 1
    assert house.standing.counts["rejected"] == 1


async def test_the_last_good_file_outlives_restarts_on_a_bad_one(house: House) -> None:
    house.write("upstreams: [")
    await house.again()
    await house.again()
    assert house.standing.degraded
    assert split_in_force(house) == (100.0, 0.0)


async def test_a_first_start_on_a_bad_file_fails_with_its_problems(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="three"):
        await House(tmp_path, BAD).open()


async def test_the_last_good_file_is_for_its_owner_only(house: House) -> None:
    kept = house.data / "last-good.yaml"
    assert kept.read_text(encoding="utf-8") == FILE
    assert kept.stat().st_mode & 0o777 == 0o600


async def test_an_outdated_file_does_not_change_the_routing(tmp_path: Path) -> None:
    house = await House(tmp_path, OTHER + "revision: 7\n").open()
    house.write(FILE + "revision: 6\nlimits: {max_n: 3}\n")
    await house.again()

    assert house.publisher.current.number == 1
    assert split_in_force(house) == (70.0, 30.0)
    assert house.standing.counts["outdated"] == 1
    assert not house.standing.degraded
    assert house.publisher.settings.data_plane.limits.max_n != 3
    assert house.kept.read_text() == OTHER + "revision: 7\n"


async def test_without_a_last_good_file_an_outdated_one_is_started_on_loudly_and_not_kept(
    tmp_path: Path,
) -> None:
    house = await House(tmp_path, OTHER + "revision: 7\n").open()
    house.kept.unlink()
    house.write(FILE + "revision: 6\n")
    with capture_logs() as logs:
        await house.again()

    assert split_in_force(house) == (70.0, 30.0)
    assert [line["log_level"] for line in logs if "outdated" in line["event"]][:1] == ["warning"]
    assert not house.kept.exists()


async def test_where_a_version_does_not_fit_the_file_the_last_good_one_is_taken(
    house: House,
) -> None:
    house.write(FILE.replace("ft-v2: {upstream: two, model: lora}", "ft-v2: {upstream: one}"))
    await house.publisher.reload(ANN)
    await house.publisher.rollback(None, None, caller=ANN, why="it needs upstream two")
    without = house.file.read_text().replace("  two: {base_url: http://127.0.0.1:2/v1}\n", "")
    house.write(without)
    await house.again()

    assert house.publisher.current.source is Source.ROLLBACK
    assert house.standing.degraded
    assert "version 3, which is in force, does not fit" in house.standing.last.problems[0]  # type: ignore[union-attr]  # it was read

    (house.data / "last-good.yaml").unlink()
    await house.again()
    version = house.publisher.current
    assert (version.number, version.source) == (4, Source.FILE)
    assert version.why.startswith("version 3 does not fit")
    assert not house.standing.degraded
