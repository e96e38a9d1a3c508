"""A real PostgreSQL server, started by the tests: on a socket of its own, and on a loopback port.

    with postgres_server() as server:
        url = server.database()
        server.stop(); server.start()

Each `database` is a fresh, empty one. The processes are ended through the server's own program.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path

from tests.support.programs import free_port

USER = "postgres"  # the server refuses to be root's
WAIT_SECONDS = 60


def program(name: str) -> str | None:
    """Return where a program of the server is; None: it is not installed."""
    found = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}"))  # noqa: PTH207  # as Debian lays it
    return found[-1] if found else shutil.which(name)


MISSING = None if program("initdb") and program("pg_ctl") else "there is no PostgreSQL server"


class Server:
    """One server with its files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._data = folder / "data"
        self._count = 0
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = (
            f"-k {self.folder} -p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off "
            "-c max_connections=50 -c shared_buffers=64MB"
        )
        log = str(self.folder / "log")
        self._control("start", "-l", log, "-o", options)

    def stop(self) -> None:
        """Stop it at once, as a crash would, connections and all."""
        self._control("stop", "-m", "immediate")

    def pause(self) -> None:
        """Let it and its sessions hang."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def database(self) -> str:
        """Make an empty database and return its address."""
        self._count += 1
        name = f"turnout_{self._count}"
        self.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        """Have the server's owner do something."""
        self._run("psql", "-h", str(self.folder), "-p", str(self.port), "-qc", statement)

    def _signal(self, sent: signal.Signals) -> None:
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *map(int, children)):
            os.kill(pid, sent)

    def _control(self, what: str, *words: str) -> None:
        self._run("pg_ctl", what, "-w", "-t", str(WAIT_SECONDS), "-D", str(self._data), *words)

    def _run(self, name: str, *words: str) -> None:
        ran = subprocess.run(
            [program(name) or name, *words],
            user=USER if os.geteuid() == 0 else None,
            stdout=subprocess.DEVNULL,  # no pipe: the server would hold it open
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            timeout=2 * WAIT_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, f"{name} {words}: {ran.returncode}"


@contextmanager
def postgres_server() -> Iterator[Server]:
    """Run a server for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    try:
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.resume()
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
