"""What is asked at each scrape of turnout's own processes: their memory, CPU time and age.

It reads Linux' /proc, and says nothing where there is none. It knows processes by kind and
number; which workers there are, it is told. CPU time of processes that ended stays in the sums,
as far as it was seen.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from proxy.sinks.metrics.cells import Labels, Reading

PROC = Path("/proc")

Who = tuple[str, int]  # kind and process id


class Used(NamedTuple):
    """What one process has used; `started` is in ticks since the machine's start."""

    started: int
    cpu_seconds: float
    memory_bytes: int


class Spent(NamedTuple):
    """One kind of process: all that run, and the CPU seconds of those that ended."""

    memory_bytes: int = 0
    cpu_seconds: float = 0.0
    started: int = 0  # of the youngest


class Processes:
    """The supervisor, this process (control) and the workers that `workers` says run."""

    def __init__(self, workers: Callable[[], Iterable[int]], proc: Path = PROC) -> None:
        self._workers = workers
        self._proc = proc
        self._parent = os.getppid()
        self._seen: dict[Who, Used] = {}
        self._ended: defaultdict[str, float] = defaultdict(float)  # CPU seconds
        self._lock = Lock()  # scrapes may overlap
        self._born = booted(proc)

    def readings(self) -> list[Reading]:
        """Return the metrics of processes, by kind."""

        def each(value: Callable[[Spent], float]) -> Callable[[], Sequence[tuple[Labels, float]]]:
            return lambda: [((kind,), value(spent)) for kind, spent in self.look().items()]

        return [
            Reading(
                "turnout_process_resident_memory_bytes",
                "Memory that turnout's processes hold, by kind: supervisor, control, worker (all"
                " workers together). What processes share is in the memory of each.",
                ("process",),
                each(lambda spent: spent.memory_bytes),
            ),
            Reading(
                "turnout_process_cpu_seconds_total",
                "CPU time that turnout's processes used, by kind, those that ended included as of"
                " the last scrape before.",
                ("process",),
                each(lambda spent: spent.cpu_seconds),
            ),
            Reading(
                "turnout_process_start_time_seconds",
                "When the youngest process of a kind started, in seconds since the epoch.",
                ("process",),
                each(lambda spent: self._born + spent.started / ticks()),
            ),
        ]

    def look(self) -> dict[str, Spent]:
        """Return what each kind of process holds and has used, as of now."""
        with self._lock:
            self._renew()
            kinds: dict[str, Spent] = {}
            for (kind, _), used in self._seen.items():
                so_far = kinds.get(kind, Spent(cpu_seconds=self._ended[kind]))
                kinds[kind] = Spent(
                    memory_bytes=so_far.memory_bytes + used.memory_bytes,
                    cpu_seconds=so_far.cpu_seconds + used.cpu_seconds,
                    started=max(so_far.started, used.started),
                )
            return kinds

    def _renew(self) -> None:
        """Look at every process; whoever was seen counts until it is gone, also unconnected."""
        running = set(self._run())
        before, self._seen = self._seen, {}
        for who in running | before.keys():
            used, last = used_by(who[1], self._proc), before.get(who)
            same = used is not None and last is not None and used.started == last.started
            if last is not None and not same:
                self._ended[who[0]] += last.cpu_seconds
            if used is not None and (same or who in running):
                self._seen[who] = used

    def _run(self) -> Iterable[Who]:
        if os.getppid() == self._parent:  # else it ended, and its number may be another's
            yield "supervisor", self._parent
        yield "control", os.getpid()
        for pid in self._workers():
            yield "worker", pid


def used_by(pid: int, proc: Path = PROC) -> Used | None:
    """Return what a process has used so far; None: there is none, or no telling.

    The fields are those of proc_pid_stat(5), from the third on: a name may hold blanks.
    """
    with suppress(OSError, ValueError, IndexError):
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / ticks()
        return Used(int(fields[19]), cpu, int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))
    return None


def booted(proc: Path = PROC) -> float:
    """Return when the machine started, in seconds since the epoch; 0 where nothing tells."""
    with suppress(OSError, ValueError):
        for line in (proc / "stat").read_text().splitlines():
            if line.startswith("btime "):
                return float(line.split()[1])
    return 0.0


def ticks() -> int:
    """Return the clock ticks in a second, the unit of times in /proc."""
    return os.sysconf("SC_CLK_TCK")
