"""The host: what this machine, or container, has to give: CPUs, open files, sockets, variables.

It knows the kernel's ways on Linux and falls back where another system lacks them. It knows
nothing of the processes that use what it returns.
"""

import contextlib
import math
import os
import resource
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from proxy.errors import StartError

CGROUPS = Path("/sys/fs/cgroup")
# Variables that a process needs to run here at all; none of them is a place for secrets.
PLAIN = frozenset({"HOME", "LANG", "LOCALDOMAIN", "PATH", "RES_OPTIONS", "TMPDIR", "TZ", "USER"})
PLAIN_BEGINNINGS = (
    "COVERAGE_",
    "DYLD_",
    "LC_",
    "LD_",
    "MALLOC_",
    "OPENSSL_",
    "PYTHON",
    "SSL_CERT_",
)
BACKLOG = 4096  # connections that wait to be accepted; the kernel may allow fewer


def available_cpus() -> int:
    """Return how many CPUs this process may in fact use: affinity, and the container's quota."""
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:  # macOS
        allowed = os.cpu_count() or 1
    membership = Path("/proc/self/cgroup")
    quota = cgroup_quota(CGROUPS, membership.read_text()) if membership.exists() else None
    return whole_cpus(allowed, quota)


def whole_cpus(allowed: int, quota: float | None) -> int:
    """Return the whole CPUs in `allowed` and `quota`, at least one.

    Half a CPU left over serves control; a worker more would be throttled with all the others.
    """
    return max(1, allowed if quota is None else min(allowed, math.floor(quota)))


def cgroup_quota(root: Path, membership: str) -> float | None:
    """Return the CPU quota, in CPUs, of the cgroups in /proc/self/cgroup's `membership`.

    The smallest of the group's and its ancestors' counts; None: there is none. Reads version 2
    (cpu.max) and version 1 (cpu.cfs_quota_us), as the kernel's cgroup documents define them.
    """
    found = []
    for line in membership.splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            found += [_cpu_max(folder) for folder in _ancestors(root, path)]
        elif "cpu" in controllers.split(","):
            for mount in (root / "cpu", root / controllers):
                found += [_cfs_quota(folder) for folder in _ancestors(mount, path)]
    return min((quota for quota in found if quota is not None), default=None)


def _ancestors(mount: Path, path: str) -> Iterator[Path]:
    """Yield the folders of a group and those above it, down to the mount itself."""
    folder = mount / path.lstrip("/")
    yield folder
    while folder != mount:
        folder = folder.parent
        yield folder


def _cpu_max(folder: Path) -> float | None:
    words = _read(folder / "cpu.max").split()
    if len(words) != 2 or words[0] == "max":
        return None
    return int(words[0]) / int(words[1])


def _cfs_quota(folder: Path) -> float | None:
    quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    if not quota or not period or int(quota) < 0:
        return None
    return int(quota) / int(period)


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:  # a folder of another namespace
        return ""


def raise_open_files() -> int:
    """Let this process and its children open as many files as the hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses some hard limits
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def plain(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that say how to run, and none that may hold a secret."""
    return {
        name: value
        for name, value in environ.items()
        if name in PLAIN or name.startswith(PLAIN_BEGINNINGS)
    }


def listen(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Return `count` sockets that listen on one address, or raise StartError.

    On Linux each has a queue of its own, among which the kernel spreads connections; elsewhere
    they are one socket, `count` times.
    """
    try:
        first = _bound(host, port, share=False)
        if count == 1:
            return [_listening(first)]
        if sys.platform != "linux":
            first = _listening(first)
            return [first, *(first.dup() for _ in range(count - 1))]
        # Sockets that share would also bind beside another turnout's; one that does not, never.
        port = first.getsockname()[1]
        first.close()
        return [_listening(_bound(host, port, share=True)) for _ in range(count)]
    except OSError as error:
        raise StartError(
            f"can't listen on {host}:{port}: {error.strerror or error}. "
            "Stop what uses the address, or choose another with --listen or --admin."
        ) from error


def private_socket(backlog: int) -> tuple[Path, socket.socket]:
    """Return a new folder that only this user can enter, and a Unix socket that listens in it.

    StartError where no place for one can be found.
    """
    problem: OSError | None = None
    for parent in (None, "/dev/shm"):  # noqa: S108  # a folder of our own; images can be read-only
        try:
            return _socket_below(parent, backlog)
        except OSError as error:  # not writable, or a path too long for a socket
            problem = error
    raise StartError(
        f"can't make a temporary folder: {problem}. Set TMPDIR to one that can be written to."
    )


def _socket_below(parent: str | None, backlog: int) -> tuple[Path, socket.socket]:
    folder = Path(tempfile.mkdtemp(prefix="turnout-", dir=parent))
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(folder / "channel"))
        sock.listen(backlog)
    except OSError:
        sock.close()
        folder.rmdir()
        raise
    return folder, sock


def _bound(host: str, port: int, *, share: bool) -> socket.socket:
    family, kind, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    # The protocol is named because asyncio sets TCP_NODELAY only where it is.
    sock = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def _listening(sock: socket.socket) -> socket.socket:
    sock.listen(BACKLOG)
    sock.setblocking(False)  # noqa: FBT003  # so the library has it
    return sock
