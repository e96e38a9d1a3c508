"""The lifeline: what the supervisor and its children say to each other.

    supervisor                           worker, control
    WorkerLaunch | ControlLaunch ---->
                        <------------    Ready, then Alive again and again
    Accept              ------------>                    (worker)
    WorkerEnded         ------------>                    (control)
    Reload, Succession  ------------>                    (control)
                        <------------    Replace         (control)
    Retire, then Drain  ------------>                    (worker)
    Finish              ------------>                    (control)

Each child has one end of a socket pair. Settings travel on it, never in arguments or the
environment, which others can read. Its end means that the other side is gone: that is how a
child learns that its supervisor was killed. Open files pass by number: children inherit them.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Literal, NoReturn, TypeVar

import msgspec
from msgspec import Struct

from proxy.channel.wire import Wire
from proxy.config.settings import Settings, Tls

ALIVE_SECONDS = 5.0  # between two signs of life


# How far it is that another turnout takes this one's place. begun: it reads what is in force, so
# nothing may change. done: it administers and publishes; this one only ends its exchanges.
Stage = Literal["none", "begun", "done"]


class WorkerLaunch(Struct, frozen=True, kw_only=True, tag=True):
    """What a worker starts from; its settings come from control."""

    worker: int
    workers: int  # how many there are
    listeners: tuple[int, ...]  # open files: all traffic sockets
    accept: tuple[int, ...]  # those of them that it is to accept on, until told otherwise
    tally: int  # open file
    channel: str  # path of the Unix socket where control listens
    tls: Tls | None
    drain_grace_seconds: float
    drain_seconds: float


class ControlLaunch(Struct, frozen=True, kw_only=True, tag=True):
    """What control starts from; the settings are JSON inside, for they hold pieces of it."""

    settings: bytes
    channel: str  # path of the Unix socket
    listener: int  # open file: the channel's listening socket
    admin: int  # open file: the administration's listening socket
    tally: int  # open file
    restarts: Mapping[str, int]  # processes started again, by their kind
    succession: Stage = "none"

    @classmethod
    def of(cls, settings: Settings, **members: object) -> "ControlLaunch":
        """Return the launch of control with `settings`."""
        return cls(settings=msgspec.json.encode(settings), **members)  # type: ignore[arg-type]  # mypy can't follow members through; the caller's names are checked when the struct is made

    def read(self) -> Settings:
        """Return the settings again."""
        return msgspec.json.decode(self.settings, type=Settings)


class Ready(Struct, frozen=True, kw_only=True, tag=True):
    """The child is at work; control says so again when it has done what `Reload` asks for."""


class Alive(Struct, frozen=True, kw_only=True, tag=True):
    """The child's loop still turns; said every ALIVE_SECONDS."""


class Accept(Struct, frozen=True, kw_only=True, tag=True):
    """Worker: take connections from these traffic sockets, and from no others."""

    listeners: tuple[int, ...]


class Retire(Struct, frozen=True, kw_only=True, tag=True):
    """Worker: say from now on that you are not ready; `Drain` follows.

    Control: workers drain, so watch their traffic no more.
    """


class Drain(Struct, frozen=True, kw_only=True, tag=True):
    """Worker: take no more connections, and end within `seconds`.

    `last`: nobody but the workers holds the traffic sockets, so take what waits in their queues.
    `patient`: leave connections to clients that were told that they stay open; there is somebody
    else for new ones, so no haste, and no close that crosses a request.
    """

    seconds: float
    last: bool = True
    patient: bool = False


class WorkerEnded(Struct, frozen=True, kw_only=True, tag=True):
    """Control: a process of worker `worker` is gone; `restarts` as they now stand."""

    worker: int
    pid: int
    restarts: Mapping[str, int]


class Reload(Struct, frozen=True, kw_only=True, tag=True):
    """Control: read the configuration again; somebody sent SIGHUP."""


class Succession(Struct, frozen=True, kw_only=True, tag=True):
    """Control: this is how far another turnout is on its way to your place."""

    stage: Stage


class Replace(Struct, frozen=True, kw_only=True, tag=True):
    """Supervisor: worker `worker` no longer does what it is told; end process `pid`.

    None: whichever it is, for it has not come to control; but not one that only starts.
    """

    worker: int
    pid: int | None
    why: str


class Finish(Struct, frozen=True, kw_only=True, tag=True):
    """Control: all workers are gone for good; flush and end."""


ToChild = (
    WorkerLaunch
    | ControlLaunch
    | Accept
    | Retire
    | Drain
    | WorkerEnded
    | Reload
    | Succession
    | Finish
)
FromChild = Ready | Alive | Replace


L = TypeVar("L", bound=WorkerLaunch | ControlLaunch)


async def child_end(descriptor: int) -> Wire[ToChild]:
    """Return the child's end of the lifeline, an inherited open file."""
    return await Wire.on(socket.socket(fileno=descriptor), ToChild)


async def live(
    descriptor: int, kind: type[L], life: Callable[[L, Wire[ToChild]], Awaitable[None]]
) -> None:
    """Live the `life` of a child that is launched as `kind`; `descriptor` is its lifeline's end.

    Nothing happens where the supervisor was gone before there was anything to do. TypeError: the
    launch is of something else.
    """
    lifeline = await child_end(descriptor)
    launch = None
    with suppress(ConnectionError):
        launch = await lifeline.receive()
    try:
        if isinstance(launch, kind):
            await life(launch, lifeline)
        elif launch is not None:
            raise TypeError(f"a {kind.__name__} was due, and a {type(launch).__name__} came")
    finally:
        await lifeline.close()


async def supervisor_end(sock: socket.socket) -> Wire[FromChild]:
    """Return the supervisor's end of a lifeline."""
    return await Wire.on(sock, FromChild)


async def show_life(lifeline: Wire[ToChild]) -> NoReturn:
    """Say again and again that this process' loop turns; until cancelled."""
    while True:
        lifeline.post(Alive())
        await asyncio.sleep(ALIVE_SECONDS)
