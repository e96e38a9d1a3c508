"""The file is noticed to have changed, however that came about."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from watchfiles import Change
from watchfiles.main import FileChange

from proxy.config.settings import Origin
from proxy.controlplane.publishing.configuration.reading import Reading
from proxy.controlplane.publishing.configuration.watch import Way, news, watch, way_to
from proxy.errors import ConfigError

PATIENCE = 10.0


class Watched:
    """What a watch of a file has read; nothing that it reads is good."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._reading = Reading(Origin(file=str(file)), {})
        self._read: asyncio.Queue[str] = asyncio.Queue()
        self._reread()

    async def run(self) -> None:
        await watch(self._file, self._reading.stale, self._changed)

    async def next(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self._read.get()

    def quiet(self) -> bool:
        return self._read.empty()

    async def _changed(self) -> None:
        self._read.put_nowait(self._reread())

    def _reread(self) -> str:
        with suppress(ConfigError):
            self._reading.read()
        return self._file.read_text() if self._file.exists() else "gone"


@asynccontextmanager
async def watched(file: Path) -> AsyncIterator[Watched]:
    found = Watched(file)
    task = asyncio.create_task(found.run())
    yield found
    task.cancel()
    await asyncio.wait([task])


async def test_a_file_that_is_written_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text("one")
    async with watched(file) as seen:
        file.write_text("two")
        assert await seen.next() == "two"
        (tmp_path / "other").write_text("x")
        file.touch()
        file.write_text("three")
        assert await seen.next() == "three"
        assert seen.quiet()


async def test_a_file_put_in_its_place_is_read(tmp_path: Path) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text("one")
    async with watched(file) as seen:
        for text in ("two", "three"):
            draft = tmp_path / "draft"
            draft.write_text(text)
            draft.replace(file)
            assert await seen.next() == text


async def test_a_file_that_goes_and_comes_back_is_read(tmp_path: Path) -> None:
    file = tmp_path / "turnout.yaml"
    file.write_text("one")
    async with watched(file) as seen:
        file.unlink()
        assert await seen.next() == "gone"
        file.write_text("two")
        assert await seen.next() == "two"


def mounted(mount: Path) -> Path:
    """Lay a file out as a mounted ConfigMap is, with two more contents beside it."""
    mount.mkdir()
    for name, text in (("..2026_1", "one"), ("..2026_2", "two"), ("..2026_3", "three")):
        (mount / name).mkdir()
        (mount / name / "turnout.yaml").write_text(text)
    (mount / "..data").symlink_to("..2026_1")
    (mount / "turnout.yaml").symlink_to("..data/turnout.yaml")
    return mount / "turnout.yaml"


def swap(mount: Path, name: str) -> None:
    (mount / "..data_tmp").symlink_to(name)
    (mount / "..data_tmp").replace(mount / "..data")


async def test_the_swapped_link_of_a_mounted_config_map_is_followed(tmp_path: Path) -> None:
    mount = tmp_path / "etc"
    async with watched(mounted(mount)) as seen:
        for name, text in (("..2026_2", "two"), ("..2026_3", "three")):
            swap(mount, name)
            assert await seen.next() == text


async def test_a_swap_while_the_one_before_is_being_read_is_seen_without_more_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = tmp_path / "etc"
    file, read = mounted(mount), ["one"]
    done = asyncio.Event()

    async def quick(_way: Way) -> AsyncGenerator[None, None]:
        if read == ["one"]:
            swap(mount, "..2026_2")
            yield
        await asyncio.Event().wait()

    async def changed() -> None:
        read.append(file.read_text())
        if read == ["one", "two"]:
            swap(mount, "..2026_3")
        else:
            done.set()

    monkeypatch.setattr("proxy.controlplane.publishing.configuration.watch.news", quick)
    task = asyncio.create_task(watch(file, lambda: file.read_text() != read[-1], changed))
    async with asyncio.timeout(PATIENCE):
        await done.wait()
    task.cancel()
    await asyncio.wait([task])
    assert read == ["one", "two", "three"]


async def test_what_happens_to_other_files_there_is_no_reason_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = way_to(tmp_path / "turnout.yaml")
    file = next(iter(way.names))
    log = f"{file}.log"
    waiting = iter([log] * 50 + [file] + [log] * 50)

    async def heard(*_folders: Path, **_options: object) -> AsyncGenerator[set[FileChange], None]:
        for changed in waiting:
            yield {(Change.modified, changed)}

    monkeypatch.setattr("proxy.controlplane.publishing.configuration.watch.awatch", heard)

    assert [next(waiting, None) async for _ in news(way)] == [log]
    assert next(waiting, None) is None


def test_the_folders_are_those_of_every_link_on_the_way(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    for name in ("a", "b", "c"):
        (root / name).mkdir()
    (root / "c" / "file").touch()
    (root / "b" / "link").symlink_to(root / "c")
    (root / "a" / "file").symlink_to("../b/link/file")

    way = way_to(root / "a" / "file")

    assert way.folders == {root / "a", root / "b", root / "c"}
    assert way.names == {f"{root}/a/file", f"{root}/b/link", f"{root}/c/file"}


def test_a_link_that_leads_in_a_circle_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert way_to(tmp_path / "a").folders == {tmp_path.resolve()}
