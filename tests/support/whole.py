"""All of turnout's processes, with a record in place of log and metrics that says what it took.

    async with whole_turnout(settings) as turnout:
        ... traffic on turnout.port ...
        await eventually(turnout.status, lambda status: status["exchanges"]["taken"] == 3)
        os.kill(turnout.workers()[0], signal.SIGKILL)

The supervisor, control and the workers are the real ones. Run as a program it is any of them.
Every process is ended by its own pid.
"""

import asyncio
import os
import random
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from proxy.channel import Tally
from proxy.channel.lifeline import WorkerLaunch
from proxy.config.settings import DataPlane, Settings, UpstreamSettings
from proxy.controlplane.control import run_control
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.supervision.children import Commands
from proxy.controlplane.supervision.supervisor import supervise
from proxy.dataplane.service import Service
from proxy.dataplane.worker import loop_factory, run_worker
from proxy.errors import StartError
from proxy.exchange import Observation
from proxy.upstream import Upstream

TAKEN = "TURNOUT_TEST_TAKEN"  # the file that control's record writes to
PATIENCE = 15.0


class Whole:
    """A running turnout, seen from outside."""

    def __init__(self, process: Process, taken: Path) -> None:
        self.process = process
        self.pid = process.pid
        self.port = 0
        self.admin_port = 0
        self.said: list[str] = []
        self._taken = taken
        self._client = httpx2.AsyncClient(timeout=PATIENCE, trust_env=False)

    async def line(self, having: str) -> str:
        """Return the next line on stderr that has `having` in it."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stderr.readline()).decode():
                self.said.append(line)
                if having in line:
                    return line
        raise AssertionError(f"it ended without saying {having!r}: {''.join(self.said)}")

    async def ready(self) -> None:
        """Wait until all are at work."""
        self.port = int((await self.line("traffic on")).split(":")[-1].removesuffix("/v1\n"))
        self.admin_port = int((await self.line("administration on")).split(":")[-1])

    async def status(self) -> Any:
        """Return what administration says."""
        try:
            return (await self.admin("/api/v1/status")).json()
        except httpx2.TransportError as error:
            raise ConnectionError from error

    async def admin(self, path: str, **headers: str) -> httpx2.Response:
        """Get a page of the administration listener."""
        url = f"http://127.0.0.1:{self.admin_port}{path}"
        return await self._client.get(url, headers=headers)

    async def get(self, path: str) -> int:
        """Return the status of a GET of the traffic listener, on a connection of its own."""
        async with httpx2.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            return (await client.get(f"http://127.0.0.1:{self.port}{path}")).status_code

    def taken(self) -> list[str]:
        """Return the ids of all observations that any control took, in order."""
        return self._taken.read_text().splitlines()

    def children(self, kind: str) -> list[int]:
        """Return the running processes of a kind: control or worker."""
        return [pid for pid in descendants(self.pid) if kind in command(pid)]

    async def end(self, sent: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(sent)
        return await self.over()

    async def over(self) -> int:
        """Wait for the end and return the exit code."""
        async with asyncio.timeout(PATIENCE):
            _, rest = await self.process.communicate()
            self.said += rest.decode().splitlines(keepends=True)
            return await self.process.wait()

    async def close(self) -> None:
        """Close the client, and end what still runs."""
        await self._client.aclose()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGTERM)  # it need not be polite any more
            await self.over()


def descendants(pid: int) -> list[int]:
    """Return the children of a process; none where it is gone."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def command(pid: int) -> list[str]:
    """Return a process' arguments; none where it is gone."""
    try:
        return [word for word in Path(f"/proc/{pid}/cmdline").read_text().split("\0") if word]
    except OSError:
        return []


async def gone(pids: Iterable[int]) -> bool:
    """Return whether none of these processes runs."""
    return not any(command(pid) for pid in pids)


async def refused(turnout: Whole) -> bool:
    """Return whether the traffic listener takes no connections."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", turnout.port)
    except ConnectionRefusedError:
        return True
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return False


@asynccontextmanager
async def launched(settings: Settings, folder: Path) -> AsyncIterator[Whole]:
    """Start all of turnout, with `folder` for what it keeps; at the end nothing is left of it."""
    taken = folder / "taken"
    taken.touch()
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "tests.support.whole", "supervisor", write(settings, folder)],
        stdin=DEVNULL,
        stderr=PIPE,
        env={**os.environ, TAKEN: str(taken)},
    )
    whole = Whole(process, taken)
    try:
        yield whole
    finally:
        await whole.close()


def write(settings: Settings, folder: Path) -> str:
    """Write down what a start, and a successor's, is to read; return the file's name."""
    kept = msgspec.structs.replace(settings, data_dir=str(folder / "data"))
    file = folder / "settings.json"
    file.write_bytes(msgspec.json.encode(kept))
    return str(file)


@asynccontextmanager
async def whole_turnout(settings: Settings, folder: Path) -> AsyncIterator[Whole]:
    """Run all of turnout, ready."""
    async with launched(settings, folder) as whole:
        await whole.ready()
        yield whole


def settings(data_plane: DataPlane, **changes: Any) -> Settings:
    """Return settings on free ports of this machine, quick to end."""
    given: dict[str, Any] = {
        "listen_host": "127.0.0.1",
        "listen_port": 0,
        "admin_port": 0,
        "drain_seconds": 10.0,
        "drain_grace_seconds": 0.0,
        "workers": data_plane.workers,
        **changes,
    }
    return Settings(data_plane=data_plane, **given)


class FileRecord:
    """A record that writes down whom it took."""

    def __init__(self) -> None:
        self._file = os.open(os.environ[TAKEN], os.O_WRONLY | os.O_APPEND)
        self._count = 0

    def take(self, worker: int, observations: Sequence[Observation]) -> None:
        """Write the ids."""
        self._count += len(observations)
        os.write(self._file, b"".join(b"%s\n" % each.request_id.encode() for each in observations))

    def render(self) -> tuple[bytes, str]:
        """Return a metric."""
        return b"taken_total %d\n" % self._count, "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def compose_control(settings: Settings, fleet: Fleet) -> AsyncIterator[FileRecord]:
    yield FileRecord()


def compose_worker(
    launch: WorkerLaunch, offer: Callable[[Observation], None], tally: Tally
) -> Service:
    clock = asyncio.get_running_loop().time

    def upstream(settings: UpstreamSettings) -> Upstream:
        return Upstream(settings, workers=launch.workers, clock=clock, dice=random.random)

    return Service(
        offer=offer,
        counts=tally,
        clock=clock,
        wall=time.time,
        random_bits=random.getrandbits,
        upstream=upstream,
    )


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(kind: str, given: str) -> int:
    """Be one of turnout's processes; `given`: the file of settings, or the lifeline."""
    if kind == "control":
        run_control(int(given), compose_control, loop_factory())
    elif kind == "worker":
        run_worker(int(given), compose_worker)
    else:
        settings = msgspec.json.decode(Path(given).read_bytes(), type=Settings)
        this = [sys.executable, "-m", "tests.support.whole"]
        commands = Commands(control=[*this, "control"], worker=[*this, "worker"])
        try:
            return supervise(settings, commands, say)
        except StartError as error:
            say(str(error))
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
