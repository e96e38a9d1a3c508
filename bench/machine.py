"""What Linux says of processes and of this machine; knows nothing of proxies or loads."""

from __future__ import annotations

import os
import platform
import re
import resource
import sysconfig
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TICK = 1.0 / os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
BUILD_FLAGS = ("CONFIG_ARGS", "PY_CFLAGS", "PY_CFLAGS_NODIST", "PY_LDFLAGS_NODIST")
OPTIMISED = {
    "PGO": ("--enable-optimizations", "-fprofile-use", "-fprofile-instr-use"),
    "LTO": ("--with-lto", "-flto"),
}


@dataclass(frozen=True)
class Cores:
    """Which core is the target's, and which one mock, load and this runner share."""

    target: int
    harness: int


def choose_cores() -> Cores:
    """The first two cores that this process may use; with one core only, it is shared."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(target=allowed[0], harness=allowed[1] if len(allowed) > 1 else allowed[0])


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Pins this thread, so that what it starts meanwhile is born on `core` and stays there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_file_limit() -> int:
    """As many open files as the system grants; children inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def _stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; a name may hold blanks and brackets."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def family(root: int) -> set[int]:
    """`root` and all its living descendants."""
    parents: dict[int, int] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parents[int(entry.name)] = int(_stat_fields(int(entry.name))[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def cpu_seconds(pids: set[int]) -> float:
    """User and system time of these processes, and of their children that were waited for."""
    total = 0.0
    for pid in pids:
        with suppress(OSError):
            total += sum(int(ticks) for ticks in _stat_fields(pid)[11:15]) * TICK
    return total


def memory_bytes(pids: set[int]) -> int:
    """Proportional set size, summed: pages that processes share are counted once."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            text = (PROC / str(pid) / "smaps_rollup").read_text()
            if found := re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE):
                total += int(found[1]) * 1024
    return total


def facts() -> dict[str, str]:
    """Names of processor and kernel, and how many cores this process may use."""
    cpu = re.search(r"model name\s*:\s*(.+)", (PROC / "cpuinfo").read_text())
    return {
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "python": f"{platform.python_version()} ({python_build(sysconfig.get_config_vars())})",
    }


def python_build(config: Mapping[str, Any]) -> str:
    """How this Python was optimised, as far as its build says: an unoptimised one costs every
    Python target here 15 to 35 % more than a distribution's or the official image's.
    """
    said = " ".join(str(config.get(name) or "") for name in BUILD_FLAGS)
    found = [word for word, flags in OPTIMISED.items() if any(flag in said for flag in flags)]
    return ", ".join(found) or "its build flags name neither PGO nor LTO"


def load_average() -> float:
    """Runnable processes, averaged over the last minute: what else kept the machine busy."""
    return os.getloadavg()[0]
