"""A child process that is kept alive: started, told what to do, started again when it dies.

It knows how long to wait between starts, and nothing of what the child is for. A child that
ends before it ever was ready fails the start as a whole: what can't work at once is for a
person to see, what breaks later is for us to mend. One that was at work and falls silent is
taken for hung, and ended.
"""

import asyncio
import contextlib
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from proxy.channel import Wire
from proxy.channel.courier import within
from proxy.channel.lifeline import ALIVE_SECONDS, Drain, FromChild, Ready, supervisor_end
from proxy.errors import StartError

HEALTHY_SECONDS = 10.0  # a process that lived this long owes its end to something new
SILENCE_SECONDS = 2 * ALIVE_SECONDS  # without a sign of life: one is missed
SILENCES = 3  # in a row; one alone may be this process' own, that was stopped for a while
REPLACED_SECONDS = 2.0  # for a process that is to make room to finish what it has
LATE_SECONDS = 1.0  # more, for it to end
PAUSES = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before each further start; the last stays


def pause(failures: int) -> float:
    """Return the seconds to wait before a start that follows `failures` ends in a row (>= 1)."""
    return PAUSES[min(failures, len(PAUSES)) - 1]


class Child:
    """One child under one name; `keep` runs until it is retired.

    `launch` makes its first message and `files` names the open ones that it inherits, anew for
    each process; `environment` are its variables. `ended` is called with the pid of a process
    that ended though it was not meant to, `heard` with what the running one says, and `say` with
    a line for people.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        launch: Callable[[], msgspec.Struct],
        files: Callable[[], Iterable[int]],
        environment: Mapping[str, str],
        ended: Callable[[int], None],
        heard: Callable[[FromChild], None],
        say: Callable[[str], None],
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self.name = name
        self._command = command
        self._launch = launch
        self._files = files
        self._environment = environment
        self._ended = ended
        self._heard = heard
        self._say = say
        self._silence = silence
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
            kill(self._process)

    def replace(self, pid: int | None, why: str) -> bool:
        """End process `pid`, soon, so that another takes its place; False: it is not running.

        None: whichever it is.
        """
        process = self._process
        if process is None or pid not in (None, process.pid):
            return False
        self._say(f"replacing the {self.name} process: {why}")
        self.tell(Drain(seconds=REPLACED_SECONDS, last=False))
        asyncio.get_running_loop().call_later(REPLACED_SECONDS + LATE_SECONDS, kill, process)
        return True

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
            self._ended(pid)
            self._say(f"the {self.name} process ended ({ending(status)}); {again}")
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
                pass_fds=[theirs.fileno(), *self._files()],
                env=self._environment,
            )
        self._lifeline = lifeline = await supervisor_end(ours)
        listening = asyncio.create_task(self._listen(lifeline, process))
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

    async def _listen(self, lifeline: Wire[FromChild], process: Process) -> None:
        """Hear what the process says, and whether it still says anything."""
        sign = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch(sign, process))
            with contextlib.suppress(ConnectionError):  # the process is gone, or about to be
                while True:
                    message = await lifeline.receive()
                    sign.set()
                    if isinstance(message, Ready):
                        self.ready.set()
                    self._heard(message)
            watching.cancel()

    async def _watch(self, sign: asyncio.Event, process: Process) -> None:
        """Kill a process that said something once and then fell silent."""
        await sign.wait()
        missed = 0
        while missed < SILENCES:
            sign.clear()
            missed = 0 if await within(self._silence, sign) else missed + 1
        self._say(f"the {self.name} process says nothing any more: ending it")
        kill(process)


def kill(process: Process) -> None:
    """Send SIGKILL to a process, unless it is gone."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()


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
