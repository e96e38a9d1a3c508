"""The units of deploy/systemd, and a service manager that heeds what of them starts a service.

    async with started(folder, config) as service:
        assert await service.notice() == ["READY=1"]
        await service.reload()

It holds their sockets, passes them under their names, sets the variables, listens to what it is
told, and reloads as the unit says to. What systemd does besides, hardening say, it leaves out.
"""

import asyncio
import os
import shlex
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from tests.frame.source import ROOT
from tests.support.whole import Whole

UNITS = ROOT / "deploy" / "systemd"
PATIENCE = 15.0

# Between the service manager's fork and its exec: files from 3 on, and variables that say so.
ACTIVATE = """
import fcntl, os, sys
files, command = sys.argv[1].split(","), sys.argv[2:]
for number, file in enumerate([fcntl.fcntl(int(file), fcntl.F_DUPFD, 10) for file in files], 3):
    os.dup2(file, number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(files))}
os.execv(command[0], command)
"""


class Unit:
    """One unit file: its settings, each with all of its values in order."""

    def __init__(self, name: str) -> None:
        self._values: dict[str, list[str]] = {}
        for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                self._values.setdefault(key, []).append(value)

    def all(self, key: str) -> list[str]:
        """Return every value of a setting."""
        return self._values.get(key, [])

    def one(self, key: str) -> str:
        """Return the value of a setting that stands there once."""
        (value,) = self._values[key]
        return value


class Service(Whole):
    """A turnout that the unit started."""

    def __init__(
        self, process: asyncio.subprocess.Process, folder: Path, unit: Unit, notices: socket.socket
    ) -> None:
        super().__init__(process, folder / "log")
        self.data = folder / "state" / "turnout"
        self._unit = unit
        self._notices = notices

    async def notice(self) -> list[str]:
        """Return what it tells the service manager next."""
        async with asyncio.timeout(PATIENCE):
            loop = asyncio.get_running_loop()
            return (await loop.sock_recv(self._notices, 4096)).decode().split("\n")

    async def reload(self) -> int:
        """Do what `systemctl reload` does; return the command's exit code."""
        words = shlex.split(self._unit.one("ExecReload").replace("$MAINPID", str(self.pid)))
        return await (await asyncio.create_subprocess_exec(*words)).wait()


@asynccontextmanager
async def started(folder: Path, config: str) -> AsyncIterator[Service]:
    """Start turnout.service, with `folder` in the place of /etc/turnout and /var/lib."""
    unit = Unit("turnout.service")
    (folder / "turnout.yaml").write_text(config, encoding="utf-8")
    program, *words = unit.one("ExecStart").replace("/etc/turnout", str(folder)).split()
    assert program == "/opt/turnout/bin/turnout"
    given = [each.replace("%S", str(folder / "state")) for each in unit.all("Environment")]
    units = [Unit(name) for name in unit.one("Sockets").split()]
    names = ":".join(each.one("FileDescriptorName") for each in units)
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in units]
        files = [sock.fileno() for sock in held]
        told = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        told.bind(str(folder / "notify"))
        told.setblocking(False)  # noqa: FBT003  # socket's own signature
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-c", ACTIVATE, ",".join(map(str, files))],
            *[sys.executable, "-m", "proxy", *words],
            stderr=PIPE,
            env={
                **os.environ,
                **dict(each.split("=", 1) for each in given),
                "LISTEN_FDNAMES": names,
                "NOTIFY_SOCKET": told.getsockname(),
            },
            pass_fds=files,
        )
        service = Service(process, folder, unit, told)
        try:
            await service.ready()
            assert [service.port, service.admin_port] == [s.getsockname()[1] for s in held]
            yield service
        finally:
            await service.close()
