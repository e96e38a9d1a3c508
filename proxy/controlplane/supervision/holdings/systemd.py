"""What a service manager like systemd says and wants to hear: sockets that it holds, readiness.

Both are plain agreements on environment variables, sd_listen_fds(3) and sd_notify(3). Where
nobody set them, nothing happens.
"""

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping

from proxy.errors import StartError

FIRST = 3  # SD_LISTEN_FDS_START
NAMES = ("traffic", "admin")


def activated(environ: MutableMapping[str, str]) -> dict[str, list[int]]:
    """Return the open files of the sockets that were passed to this process, by their names.

    A single one without a name is for traffic. The variables are taken out of `environ`: they
    are nobody else's. StartError where a name means nothing here.
    """
    pid, count, names = (
        environ.pop(variable, "") for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    )
    if pid != str(os.getpid()) or not count.isdigit():
        return {}
    files = range(FIRST, FIRST + int(count))
    called = ["traffic"] if len(files) == 1 and names in ("", "unknown") else names.split(":")
    found: dict[str, list[int]] = {}
    for number, name in enumerate(files):
        word = called[number] if number < len(called) else ""
        if word not in NAMES:
            raise StartError(
                f"the service manager passes a socket called {word or 'nothing'!r}. "
                "Say what it is for: FileDescriptorName=traffic, or admin."
            )
        found.setdefault(word, []).append(name)
    return found


class ServiceManager:
    """Whoever started turnout, if it wants to be told how it does; `address` is NOTIFY_SOCKET."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    def ready(self) -> None:
        """Say that turnout is at work, or has done what it was told to."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """Say that turnout is changing something about itself; `ready` follows."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={microseconds}")

    def succeeded(self, pid: int) -> None:
        """Say that process `pid` is turnout from now on."""
        self._tell(f"MAINPID={pid}", "READY=1")

    def stopping(self) -> None:
        """Say that turnout drains."""
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock,
        ):
            sock.sendto("\n".join(lines).encode(), address)
