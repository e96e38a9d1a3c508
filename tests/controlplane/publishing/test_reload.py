"""The file, read again: what of it gets in force, what takes a restart, what is rejected."""

from pathlib import Path
from threading import Event

import pytest

from proxy.controlplane.publishing import Unavailable, publisher
from proxy.controlplane.publishing.configuration.reading import Declared, Reading
from proxy.errors import ConfigError, StoreError
from proxy.rollout import Source
from tests.support.published import ANN, FILE, House

OTHER = FILE.replace("{base: 100}", "{base: 70, ft-v2: 30}")


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return await House(tmp_path).open()


async def test_another_routing_is_published(house: House) -> None:
    house.write(OTHER)
    reloaded = await house.publisher.reload(ANN)

    assert (reloaded.result, reloaded.version.number) == ("published", 2)
    assert (reloaded.version.source, reloaded.version.who) == (Source.FILE, "ann")
    assert reloaded.pushed is not None
    assert house.weights() == (70.0, 30.0)
    assert house.versions.entries[-1].version == 2


async def test_the_same_file_changes_nothing_and_pushes_nothing(house: House) -> None:
    await house.split(**{"base": 90, "ft-v2": 10})
    house.pushed.clear()
    reloaded = await house.publisher.reload(ANN)

    assert (reloaded.result, reloaded.version.number) == ("unchanged", 2)
    assert reloaded.pushed is None
    assert house.pushed == []


async def test_all_around_the_routing_is_taken_without_a_new_version(house: House) -> None:
    await house.split(**{"base": 90, "ft-v2": 10})
    house.write(
        FILE.replace("http://127.0.0.1:2/v1", "http://127.0.0.1:3/v1")
        + "keys: {app: {sha256: '"
        + "a" * 64
        + "'}}\n"
        + "alerts: {slow: off}\npreviews: off\nlog: {exchanges: false}\n"
        + "limits: {max_n: 3}\ndeadlines: {idle: 5}\n"
        + "admin: {tokens: {ann: {sha256: '"
        + "b" * 64
        + "', role: admin}}}\n"
    )
    reloaded = await house.publisher.reload(ANN)

    assert (reloaded.result, reloaded.version.number) == ("unchanged", 2)
    plane, settings = house.pushed[-1], house.adopted[-1]
    assert plane.table.version == 2
    assert house.weights() == (90.0, 10.0)
    assert plane.upstreams["two"].port == 3
    assert [key.name for key in plane.keys] == ["app"]
    assert (plane.limits.max_n, plane.deadlines.idle, plane.previews.chars) == (3, 5.0, 0)
    assert settings.alerts.default.slow_latency_ms is None
    assert not settings.log_exchanges
    assert [token.name for token in settings.admin_tokens] == ["ann"]
    assert reloaded.restart_needed == ()


async def test_what_takes_a_restart_is_named_and_stays_as_it_is(house: House) -> None:
    before = house.publisher.settings
    house.write(
        FILE + "listen: 127.0.0.1:9\nworkers: 3\ndata_dir: elsewhere\nlog: {format: console}\n"
        "drain_seconds: 7\ndrain_grace_seconds: 1\nadmin: {listen: '127.0.0.1:8'}\n"
    )
    reloaded = await house.publisher.reload(ANN)

    assert sorted(reloaded.restart_needed) == [
        "admin.listen",
        "data_dir",
        "drain_grace_seconds",
        "drain_seconds",
        "listen",
        "log.format",
        "workers",
    ]
    assert house.publisher.settings == before
    assert house.pushed == []


async def test_what_the_command_line_said_stays_in_force(tmp_path: Path) -> None:
    house = await House(tmp_path, listen_host="127.0.0.1", listen_port=9, workers=2).open()
    house.write(FILE + "listen: 127.0.0.1:10\nworkers: 3\nlimits: {max_n: 3}\n")
    reloaded = await house.publisher.reload(ANN)

    assert reloaded.restart_needed == ()
    settings = house.publisher.settings
    assert (settings.listen_port, settings.workers, settings.data_plane.workers) == (9, 2, 2)


async def test_a_bad_file_is_rejected_whole_with_every_problem(house: House) -> None:
    before = house.publisher.settings
    house.write(OTHER.replace("upstream: two", "upstream: three") + "limits: {max_n: x}\n")
    reloaded = await house.publisher.reload(ANN)

    assert (reloaded.result, reloaded.version.number) == ("rejected", 1)
    assert len(reloaded.problems) == 2
    assert house.publisher.settings == before
    assert house.pushed == []
    assert house.standing.last == reloaded
    assert house.standing.degraded
    last = house.versions.entries[-1]
    assert (last.action, last.result, last.version) == ("reload", "refused", None)
    assert "three" in last.detail

    house.write(OTHER)
    assert (await house.publisher.reload(ANN)).result == "published"
    assert not house.standing.degraded
    assert house.standing.counts == {"published": 2, "unchanged": 0, "outdated": 0, "rejected": 1}


async def test_a_file_that_is_gone_is_rejected(house: House) -> None:
    house.file.unlink()
    reloaded = await house.publisher.reload(ANN)
    assert reloaded.result == "rejected"
    assert "can't be read" in reloaded.problems[0]


async def test_a_file_system_that_hangs_holds_up_no_other_change(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Event()
    read = house.reading.read

    def hung() -> Declared:
        answers.wait(20)
        return read()

    monkeypatch.setattr(house.reading, "read", hung)
    monkeypatch.setattr(publisher, "READ_SECONDS", 0.01)
    for _ in range(2):
        with pytest.raises(Unavailable, match="could not be read within"):
            await house.publisher.reload(ANN)
    assert house.reading.stale(), "it will be tried again"
    assert (await house.split(**{"base": 90, "ft-v2": 10})).changed

    answers.set()
    monkeypatch.setattr(publisher, "READ_SECONDS", 20.0)
    assert (await house.publisher.reload(ANN)).result == "unchanged"
    await house.publisher.close()


async def test_a_file_without_what_the_version_in_force_needs_is_rejected(house: House) -> None:
    house.write(FILE.replace("ft-v2: {upstream: two, model: lora}", "ft-v2: {upstream: one}"))
    await house.publisher.reload(ANN)
    await house.publisher.rollback(None, None, caller=ANN, why="it needs upstream two")
    house.write(house.file.read_text().replace("  two: {base_url: http://127.0.0.1:2/v1}\n", ""))
    reloaded = await house.publisher.reload(ANN)

    assert reloaded.result == "rejected"
    assert reloaded.problems[0].startswith("version 3, which is in force, does not fit the file: ")


async def test_of_an_outdated_file_nothing_is_taken_nor_kept(tmp_path: Path) -> None:
    house = await House(tmp_path, OTHER + "revision: 7\n").open()
    before = house.publisher.settings
    house.write(FILE + "revision: 6\nlimits: {max_n: 3}\n")
    reloaded = await house.publisher.reload(ANN)

    assert (reloaded.result, reloaded.version.number) == ("outdated", 1)
    assert house.publisher.settings == before
    assert house.pushed == []
    assert house.kept.read_text() == OTHER + "revision: 7\n"


@pytest.mark.parametrize("copy", ["", "revision: 6\n"])
async def test_a_revision_that_came_with_no_change_is_remembered(
    tmp_path: Path, copy: str
) -> None:
    house = await House(tmp_path, OTHER).open()
    house.write(OTHER + "revision: 7\n")
    assert (await house.publisher.reload(ANN)).result == "unchanged"
    house.write(FILE + copy)
    assert (await house.publisher.reload(ANN)).result == "outdated"
    assert house.weights() == (70.0, 30.0)


async def test_where_a_revision_can_not_be_kept_the_file_is_taken_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await House(tmp_path, OTHER).open()

    def full(revision: int) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(house.versions, "note_revision", full)
    house.write(OTHER + "revision: 7\n")
    assert (await house.publisher.reload(ANN)).result == "unchanged"


async def test_a_larger_revision_puts_the_same_routing_in_force_over_changes_by_hand(
    tmp_path: Path,
) -> None:
    house = await House(tmp_path, OTHER + "revision: 7\n").open()
    await house.split(base=1)
    house.write(OTHER + "revision: 8\n")
    reloaded = await house.publisher.reload(ANN)

    assert (reloaded.result, reloaded.version.number) == ("published", 3)
    assert reloaded.version.revision == 8
    assert house.weights() == (70.0, 30.0)


async def test_variables_are_read_anew(tmp_path: Path) -> None:
    house = House(tmp_path, FILE.replace("/v1}", "/v1, api_key: '${KEY}'}"))
    house.environ["KEY"] = "first"
    await house.open()
    house.environ["KEY"] = "second"
    await house.publisher.reload(ANN)
    assert house.pushed[-1].upstreams["one"].api_key == "second"


async def test_without_a_store_a_new_routing_is_not_taken(house: House) -> None:
    house.versions.broken = True
    house.write(OTHER)
    with pytest.raises(Unavailable):
        await house.publisher.reload(ANN)
    assert house.pushed == []


async def test_more_client_keys_than_can_be_counted_are_rejected(house: House) -> None:
    house.write(FILE + f"keys: {{a: {{sha256: '{'a' * 64}'}}, b: {{sha256: '{'b' * 64}'}}}}\n")
    reading = Reading(house.origin, {}, room=1)
    with pytest.raises(ConfigError, match="has room for 1 until it is started again"):
        reading.read()
    assert len(Reading(house.origin, {}, room=2).read().file.keys) == 2


async def test_the_file_is_stale_until_it_is_read(house: House) -> None:
    assert not house.reading.stale()
    house.write(OTHER)
    assert house.reading.stale()
    await house.publisher.reload(ANN)
    assert not house.reading.stale()
    house.file.unlink()
    assert house.reading.stale()
    await house.publisher.reload(ANN)
    assert not house.reading.stale()
    house.reading.forget()
    assert house.reading.stale()
