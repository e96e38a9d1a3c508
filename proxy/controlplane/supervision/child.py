"""A child process that is kept alive: started, told what to do, started again when it dies.

It knows how long to wait between starts, and nothing of what the child is for. A child that
ends before it ever was ready fails the start as a whole: what can't work at once is for a
person to see, what breaks later is for us to mend.
"""

import asyncio
import contextlib
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Iterator, Sequence

import msgspec

from proxy.channel import Wire
from proxy.channel.lifeline import FromChild, supervisor_end
from proxy.errors import StartError

HEALTHY_SECONDS = 10.0  # a process that lived this long owes its end to something new
PAUSES = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before each further start; the last stays


def pause(failures: int) -> float:
    """Return the seconds to wait before a start that follows `failures` ends in a row (>= 1)."""
    return PAUSES[min(failures, len(PAUSES)) - 1]


class Child:
    """One child under one name; `keep` runs until it is retired.

    `launch` makes its first message anew for each process; `files` are what it inherits;
    `restarting` is called with the pid of a process that ended though it was not meant to, and
    with a line that says so.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        launch: Callable[[], msgspec.Struct],
        files: Sequence[int],
        restarting: Callable[[int, str], None],
    ) -> None:
        self.name = name
        self._command = command
        self._launch = launch
        self._files = files
        self._restarting = restarting
        self._process: Process | None = None
        self._lifeline: Wire[FromChild] | None = None
        self._retired = asyncio.Event()
        self._orders: list[msgspec.Struct] = []  # the last ones
        self._killed = False
        self.ready = asyncio.Event()  # it was ready once

    def tell(self, message: msgspec.Struct) -> None:
        """Send `message` to the running process; where there is none, nothing happens."""
        if self._lifeline is not None:
            self._lifeline.post(message)

    def retire(self, message: msgspec.Struct) -> None:
        """Send a last order: the process is to end, and not to be started again."""
        self._retired.set()
        self._orders.append(message)
        self.tell(message)

    def kill(self) -> None:
        """End the process at once, for good."""
        self._retired.set()
        self._killed = True
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def keep(self) -> None:
        """Run the child, again and again, until it was retired and has ended."""
        failures = 0
        clock = asyncio.get_running_loop().time
        while not self._retired.is_set():
            began = clock()
            pid, status = await self._live()
            if self._retired.is_set():
                return
            if not self.ready.is_set():
                raise StartError(f"the {self.name} process ended at its start ({ending(status)})")
            failures = 1 if clock() - began > HEALTHY_SECONDS else failures + 1
            wait = pause(failures)
            again = f"starting it again in {wait:g} s" if wait else "starting it again"
            self._restarting(pid, f"the {self.name} process ended ({ending(status)}); {again}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._retired.wait()

    async def _live(self) -> tuple[int, int]:
        """Run one process to its end and return its pid and status."""
        ours, theirs = socket.socketpair()
        with theirs, without_interrupts():
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                str(theirs.fileno()),
                stdin=DEVNULL,
                pass_fds=[theirs.fileno(), *self._files],
            )
        self._lifeline = lifeline = await supervisor_end(ours)
        listening = asyncio.create_task(self._listen(lifeline))
        try:
            self.tell(self._launch())
            for order in self._orders:  # they came while the process was being made
                self.tell(order)
            if self._killed:
                self.kill()
            return process.pid, await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()  # reaped here, or its transport is left open
            self._lifeline = self._process = None
            listening.cancel()
            await lifeline.close()

    async def _listen(self, lifeline: Wire[FromChild]) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await lifeline.receive()
                self.ready.set()


@contextlib.contextmanager
def without_interrupts() -> Iterator[None]:
    """Hold SIGINT back; a process started meanwhile never hears the terminal's Ctrl-C."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def ending(status: int) -> str:
    """Return a process' status in words."""
    return signal.Signals(-status).name if status < 0 else f"exit code {status}"
