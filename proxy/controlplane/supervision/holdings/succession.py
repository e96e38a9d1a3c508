"""Succession: one turnout takes another's place, on the same sockets.

    predecessor                          successor
    starts it with its open files ---->  reads configuration and code anew, starts its children
                              <-----     a byte in a pipe: all are at work
    drains, and ends                     serves

Both accept from the same queues meanwhile, so no connection is lost. The open files are named
in one environment variable; whoever is no child of the process that set it takes no notice.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

import msgspec
from msgspec import Struct

VARIABLE = "TURNOUT_SUCCESSION"
END_SECONDS = 10.0  # for a successor that did not get ready to end by itself


class Estate(Struct, frozen=True, kw_only=True):
    """What a successor inherits: open files by number, and what they are."""

    predecessor: int  # its pid
    traffic: tuple[int, ...]
    admin: int
    lent: bool  # the service manager holds the sockets as well
    lock: int  # of the data directory
    ready: int = -1  # the pipe's end to say so


def is_successor(environ: Mapping[str, str]) -> bool:
    """Return whether this process was started to take another's place."""
    estate = _read(environ.get(VARIABLE, ""))
    return estate is not None and estate.predecessor == os.getppid()


def inherited(environ: MutableMapping[str, str]) -> Estate | None:
    """Return what a predecessor left to this process, if any; only once."""
    mine = is_successor(environ)
    estate = _read(environ.pop(VARIABLE, ""))
    if estate is None or not mine:
        return None
    for file in (*estate.traffic, estate.admin, estate.lock, estate.ready):
        os.set_inheritable(file, False)  # noqa: FBT003  # os' own signature
    return estate


def _read(text: str) -> Estate | None:
    try:
        return msgspec.json.decode(text, type=Estate)
    except msgspec.DecodeError:
        return None


def announce(estate: Estate) -> None:
    """Tell the predecessor that this process is at work; it may be gone already."""
    with contextlib.suppress(OSError):
        os.write(estate.ready, b"1")
    os.close(estate.ready)


def command() -> list[str]:
    """Return the command that this process was started by, to be started anew.

    A program in a file is started as itself, for its first line says which Python runs it: where a
    link on its path leads to a newer installation by now, it is that one's, not this one's.
    """
    program, *words = sys.orig_argv[1:] or [""]
    path = Path(program).absolute()
    if path.is_file() and os.access(path, os.X_OK):
        return [str(path), *words]
    return [sys.executable, *sys.orig_argv[1:]]


class Successor:
    """A process that is to take this one's place: the same command, started anew."""

    def __init__(self, estate: Estate) -> None:
        """Start it; `estate.ready` is filled in here. OSError where that can't be."""
        self._pipe, theirs = os.pipe()
        estate = msgspec.structs.replace(estate, ready=theirs)
        try:
            # No child of the loop's: that would kill it when the loop ends.
            self._process = subprocess.Popen(  # noqa: S603  # as it was started itself
                command(),
                pass_fds=(*estate.traffic, estate.admin, estate.lock, theirs),
                env={**os.environ, VARIABLE: msgspec.json.encode(estate).decode()},
            )
        except OSError:
            os.close(self._pipe)
            raise
        finally:
            os.close(theirs)
        self.pid = self._process.pid

    async def ready(self, seconds: float) -> bool:
        """Return whether it got ready, and within `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._hear() == b"1"
        return False

    async def end(self) -> None:
        """End one that is not to take over; what it began to serve, it or its workers finish."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)  # drain, without the grace
        try:
            async with asyncio.timeout(END_SECONDS):
                while await self._hear():
                    pass
        except TimeoutError:
            self._process.kill()  # its workers learn of it, and drain
        self._process.wait()
        os.close(self._pipe)

    async def _hear(self) -> bytes:
        """Return the next that it says; nothing where it has ended."""
        loop = asyncio.get_running_loop()
        heard = asyncio.Event()
        loop.add_reader(self._pipe, heard.set)
        try:
            await heard.wait()
        finally:
            loop.remove_reader(self._pipe)
        return os.read(self._pipe, 1)
