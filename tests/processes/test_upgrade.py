"""One turnout takes another's place while clients go on as if nothing happened."""

import os
import signal
from pathlib import Path

import pytest

from proxy.config.settings import DataPlane
from tests.support.data_plane import settings_of, upstream
from tests.support.load import PATIENT, ROUNDS, Streams, Valve, load
from tests.support.patience import eventually
from tests.support.raw_client import raw_client
from tests.support.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.support.served import served
from tests.support.whole import command, descendants, gone, settings, whole_turnout, write


def plane(server: ScriptedUpstream, workers: int = 1) -> DataPlane:
    return settings_of(
        upstreams=[upstream("u", server.port, timeouts=PATIENT)],
        default_upstream="u",
        pass_unknown_models=True,
        workers=workers,
    )


@pytest.mark.timeout(60 + 30 * ROUNDS)
async def test_upgrades_cut_no_stream_and_lose_no_request_whatever_the_number_of_workers(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as server:
        valve = Valve(server)
        streams = Streams()
        given = settings(plane(server, 2), drain_seconds=600.0)
        async with whole_turnout(given, tmp_path) as turnout:
            async with load(turnout.port) as under:
                for turn in range(ROUNDS):
                    workers = (3, 1, 2)[turn % 3]
                    await streams.open(turnout.port, 10)
                    write(settings(plane(server, workers), drain_seconds=600.0), tmp_path)
                    await turnout.upgrade()
                    assert len(turnout.children("worker")) == workers
                    await under.more(200)
                opened = 10 * ROUNDS
                assert streams.open_still == opened, "the oldest still serve what they began"
                valve.open()
                cut = await streams.cut()
                under.report("upgrades", cut, opened)
                assert cut == 0
                assert await turnout.left() == 0
            assert under.failures == []
            status = await turnout.status()
            assert status["restarts"] == {"control": 0, "worker": 0}
            asked = under.answered + opened

            async def taken() -> int:
                return len(set(turnout.taken()))

            # A client that was stopped in mid-request has one on the record that it did not count.
            await eventually(taken, lambda count: asked <= count <= asked + 8)


async def test_a_kept_connection_is_told_before_it_is_closed(tmp_path: Path) -> None:
    async with (
        scripted_upstream() as server,
        whole_turnout(settings(plane(server)), tmp_path) as turnout,
        raw_client(turnout.port) as client,
    ):
        client.get("/readyz")
        assert b"connection: close" not in await client.until(b"ok\n")
        await turnout.upgrade()
        answer = b""
        while b"connection: close" not in answer:  # the worker is about to hear that it drains
            client.get("/readyz")
            answer = await client.until(b"ok\n")
            assert b" 200 " in answer, "turnout as a whole is ready"
        assert await client.rest() == b""
        assert await turnout.left() == 0


async def test_a_successor_that_can_not_start_changes_nothing(tmp_path: Path) -> None:
    async with scripted_upstream() as server:
        given = settings(plane(server, 2))
        async with whole_turnout(given, tmp_path) as turnout, load(turnout.port) as under:
            children = turnout.children("")
            (tmp_path / "settings.json").write_text("routes: [")
            os.kill(turnout.pid, signal.SIGUSR2)
            await turnout.line("serves on as before")
            await under.more(50)
            assert turnout.children("") == children
            write(given, tmp_path)
            await turnout.upgrade()
            await under.more(50)
        assert under.failures == []


async def test_a_successor_that_is_slow_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    async with scripted_upstream() as server:
        given = settings(plane(server))
        async with whole_turnout(given, tmp_path) as turnout:
            file = tmp_path / "settings.json"
            file.unlink()
            os.mkfifo(file)  # nobody writes: it waits for its settings
            os.kill(turnout.pid, signal.SIGUSR2)
            successor = int((await turnout.line("starting a successor")).split()[-1])
            assert await turnout.end() == 0
            assert await gone([successor])


async def test_the_old_one_can_be_hurried(tmp_path: Path) -> None:
    async with scripted_upstream() as server:
        Valve(server)
        async with whole_turnout(settings(plane(server)), tmp_path) as turnout:
            old = turnout.process
            async with raw_client(turnout.port) as client:
                client.get("/v1/stream")
                await client.until(b"one")
                await turnout.upgrade()
                await turnout.line("draining")
                old.send_signal(signal.SIGTERM)  # a service manager may tell all of a group
                old.send_signal(signal.SIGINT)
                assert await turnout.left() == 130
                assert not (await client.rest()).endswith(b"0\r\n\r\n")
            assert await turnout.get("/v1/x") == 200


async def test_the_successor_can_be_ended_and_started_anew_while_the_old_one_drains(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as server:
        valve = Valve(server)
        given = settings(plane(server))
        async with whole_turnout(given, tmp_path) as turnout:
            async with raw_client(turnout.port) as client:
                client.get("/v1/stream")
                await client.until(b"one")
                await turnout.upgrade()
                os.kill(turnout.pid, signal.SIGTERM)
                await eventually(lambda: gone([turnout.pid]), bool)
                async with whole_turnout(given, tmp_path) as third:  # nothing is taken
                    assert await third.get("/v1/x") == 200
                valve.open()
                await client.until(b"0\r\n\r\n")
            assert await turnout.left() == 0


async def test_control_that_dies_while_the_old_one_drains_administers_no_more(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as server:
        valve = Valve(server)
        async with whole_turnout(settings(plane(server)), tmp_path) as turnout:
            async with raw_client(turnout.port) as client:
                client.get("/v1/stream")
                await client.until(b"one")
                (control,) = turnout.children("control")
                old = turnout.pid
                await turnout.upgrade()
                os.kill(control, signal.SIGKILL)

                async def again() -> bool:
                    others = [pid for pid in descendants(old) if pid != control]
                    return any("control" in command(pid) for pid in others)

                await eventually(again, bool)
                pid = turnout.children("worker")[0]
                for _ in range(5):
                    status = await turnout.status()
                    assert [worker["pid"] for worker in status["workers"]] == [pid]
                valve.open()
                await client.until(b"0\r\n\r\n")
            assert await turnout.left() == 0
            assert len(turnout.taken()) == 1


async def test_turnout_serve_is_upgraded_and_no_successor_starts_on_an_older_file(
    tmp_path: Path,
) -> None:
    config = "upstreams: {u: {base_url: 'http://127.0.0.1:%d/v1'}}\ndefault_upstream: u\n"
    async with scripted_upstream() as server, served(tmp_path, config % server.port) as turnout:
        file = tmp_path / "turnout.yaml"
        good = file.read_text()
        file.write_text("routes: [")
        os.kill(turnout.pid, signal.SIGUSR2)
        await turnout.line("serves on as before")
        file.write_text(good)
        await turnout.upgrade()
        assert await turnout.get("/v1/x") == 200
        assert await turnout.left() == 0
        kept = turnout.data / "admin.address"
        assert kept.read_text().startswith(f"127.0.0.1:{turnout.admin_port} "), "the successor's"
