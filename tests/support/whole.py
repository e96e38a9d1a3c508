"""All of turnout's processes, with a record in place of log and metrics that says what it took.

    async with whole_turnout(settings) as turnout:
        ... traffic on turnout.port ...
        await eventually(turnout.status, lambda status: status["exchanges"]["taken"] == 3)
        os.kill(turnout.children("worker")[0], signal.SIGKILL)
        await turnout.upgrade()

The supervisor, control and the workers are the real ones (`tests.support.process`). Every
process is ended by its own pid.
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from proxy.config.settings import DataPlane, Origin, Settings
from tests.support.declared import declared
from tests.support.patience import eventually
from tests.support.process import TAKEN

PATIENCE = 30.0

# What a service manager does before it runs turnout: sockets from 3 on, and variables that say so.
ACTIVATE = """
import fcntl, os, sys
files, command = [int(word) for word in sys.argv[1:3]], sys.argv[3:]
for number, file in enumerate([fcntl.fcntl(file, fcntl.F_DUPFD, 10) for file in files], 3):
    os.dup2(file, number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2"}
os.environ["LISTEN_FDNAMES"] = "traffic:admin"
os.execv(command[0], command)
"""


class Whole:
    """A running turnout, seen from outside."""

    def __init__(self, process: Process, taken: Path) -> None:
        self.process = process
        self.pid = process.pid
        self.port = 0
        self.admin_port = 0
        self.said: list[str] = []
        self.data = taken.parent / "data"  # its data directory
        self._taken = taken
        self._client = httpx2.AsyncClient(timeout=PATIENCE, trust_env=False)

    async def line(self, having: str) -> str:
        """Return the next line on stderr that has `having` in it."""
        assert self.process.stderr is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while line := (await self.process.stderr.readline()).decode():
                    self.said.append(line)
                    if having in line:
                        return line
        raise AssertionError(f"it did not say {having!r}: {''.join(self.said)}")

    async def upgrade(self) -> None:
        """Have a successor take over; `pid` is its from then on."""
        os.kill(self.pid, signal.SIGUSR2)
        line = await self.line("serves")
        assert "serves now" in line, line
        self.pid = int(line.split("process ")[1].split()[0])

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
        """Get a page of the administration listener, as the local token's owner."""
        return await self.administer("GET", path, **headers)

    async def administer(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> httpx2.Response:
        """Ask administration for something, as the local token's owner."""
        url = f"http://127.0.0.1:{self.admin_port}{path}"
        token = self.data / "admin.token"
        if token.exists():
            headers = {"authorization": f"Bearer {token.read_text().strip()}", **headers}
        sent: dict[str, Any] = {} if body is None else {"json": body}
        return await self._client.request(method, url, headers=headers, **sent)

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
        """Send a signal and return the exit code of the process that was started."""
        os.kill(self.pid, sent)
        return await self.over()

    async def over(self) -> int:
        """Wait for the end of all, and return the exit code of the process that was started."""
        async with asyncio.timeout(PATIENCE):
            _, rest = await self.process.communicate()
            self.said += rest.decode().splitlines(keepends=True)
            return await self.process.wait()

    async def left(self) -> int:
        """Wait for the end of the process that was started; its successors hold its stderr."""

        async def returned() -> int | None:
            return self.process.returncode

        status = await eventually(returned, lambda code: code is not None, seconds=2 * PATIENCE)
        assert status is not None
        return status

    async def close(self) -> None:
        """Close the client, and end what still runs."""
        await self._client.aclose()
        for pid in {self.process.pid, self.pid}:
            if "supervisor" in command(pid) or "serve" in command(pid):
                os.kill(pid, signal.SIGTERM)
                os.kill(pid, signal.SIGINT)  # it need not be polite any more
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
async def launched(
    settings: Settings, folder: Path, *passed: socket.socket, notify: str = ""
) -> AsyncIterator[Whole]:
    """Start all of turnout, with `folder` for what it keeps; at the end nothing is left of it.

    `passed` are listening sockets that it gets as a service manager passes them: traffic's and
    administration's; `notify` is where it is to tell that manager how it does.
    """
    taken = folder / "taken"
    taken.touch()
    files = [sock.fileno() for sock in passed]
    activate = [sys.executable, "-c", ACTIVATE, *map(str, files)] if passed else []
    process = await asyncio.create_subprocess_exec(
        *activate,
        *[sys.executable, "-m", "tests.support.process", "supervisor", write(settings, folder)],
        stdin=DEVNULL,
        stderr=PIPE,
        env={**os.environ, TAKEN: str(taken), "NOTIFY_SOCKET": notify},
        pass_fds=files,
    )
    whole = Whole(process, taken)
    try:
        yield whole
    finally:
        await whole.close()


def write(settings: Settings, folder: Path) -> str:
    """Write down what a start, and a successor's, is to read; return the file's name."""
    declaration = folder / "turnout.yaml"
    kept = msgspec.structs.replace(
        settings, data_dir=str(folder / "data"), origin=Origin(file=str(declaration))
    )
    declaration.write_text(declared(kept), encoding="utf-8")
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
