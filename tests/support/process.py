"""Any of turnout's processes as a program, with a record that only says what it took.

    python -m tests.support.process supervisor SETTINGS.json

Each loads what it needs and no more, as in `proxy.app`: a test may start many of them.
"""

# ruff: noqa: PLC0415  # see above

import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from proxy.app.worker import compose_worker
from proxy.channel import lifeline
from proxy.config.settings import Settings
from proxy.controlplane.fleet import Fleet
from proxy.errors import StartError
from proxy.exchange import Observation

if TYPE_CHECKING:
    from proxy.controlplane.hosts.company import Company
    from proxy.controlplane.publishing.configuration.standing import Standing
    from proxy.notifiers import Tried
    from proxy.rollout import Version
    from proxy.store import Store

TAKEN = "TURNOUT_TEST_TAKEN"  # the file that control's record writes to
ALIVE = "PYTHON_TEST_ALIVE_SECONDS"  # between two signs of life; workers are given such names only
CRASH = "crash-after-append"  # a file in the data directory: control dies once it has appended


class Notifiers:
    """Nobody is told of alerts."""

    async def attempt(self, notice: object) -> "list[Tried]":
        """Tell nobody."""
        return []


class FileRecord:
    """A record that writes down whom it took."""

    def __init__(self, versions: "Store") -> None:
        from proxy.controlplane.admin.lately import Lately
        from proxy.controlplane.spending import Spending
        from tests.support.watched import quiet

        self.versions = versions
        self.observations = self.compares = None
        self.lately = Lately(time.monotonic)
        self.spending = Spending(None, time.time)
        self.spent = None
        self.silencing, self.watching = quiet(time.time)
        self.notifiers = Notifiers()
        self._file = os.open(os.environ[TAKEN], os.O_WRONLY | os.O_APPEND)
        self._count = 0

    def take(self, worker: int, observations: Sequence[Observation]) -> None:
        """Write the ids."""
        self._count += len(observations)
        os.write(self._file, b"".join(b"%s\n" % each.request_id.encode() for each in observations))

    def adopt(self, settings: Settings) -> None:
        """Do as ever."""

    def render(self) -> tuple[bytes, str]:
        """Return a metric."""
        return b"taken_total %d\n" % self._count, "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def compose_control(
    settings: Settings, fleet: Fleet, standing: "Standing", company: "Company"
) -> AsyncIterator[FileRecord]:
    from proxy.store import open_store

    data = Path(settings.data_dir)
    versions = open_store(data / "versions.db")
    kept = versions.append

    def append(version: "Version") -> None:
        kept(version)
        if (data / CRASH).exists():
            (data / CRASH).unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    versions.append = append  # type: ignore[method-assign]  # a crash at the worst of times
    yield FileRecord(versions)
    versions.close()


def control(descriptor: int) -> None:
    from proxy.controlplane.control import run_control
    from proxy.dataplane.worker import loop_factory

    run_control(descriptor, compose_control, loop_factory())


def worker(descriptor: int) -> None:
    from proxy.dataplane.worker import run_worker

    run_worker(descriptor, compose_worker)


def supervisor(file: str) -> int:
    from proxy.controlplane.supervision.children import Commands
    from proxy.controlplane.supervision.supervisor import supervise

    settings = msgspec.json.decode(Path(file).read_bytes(), type=Settings)
    this = [sys.executable, "-m", "tests.support.process"]
    commands = Commands(control=[*this, "control"], worker=[*this, "worker"])
    try:
        return supervise(settings, commands, say)
    except StartError as error:
        say(str(error))
        return 3


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(kind: str, given: str) -> int:
    """Be one of turnout's processes; `given`: the file of settings, or the lifeline."""
    if kind == "supervisor":
        return supervisor(given)
    lifeline.ALIVE_SECONDS = float(os.environ.get(ALIVE, lifeline.ALIVE_SECONDS))
    (control if kind == "control" else worker)(int(given))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
