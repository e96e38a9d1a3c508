"""The children: control and the workers, and what they are told of each other.

It knows what each is launched with, who counts as a restart, and which worker accepts on which
socket while others are down. When they start and end is the supervisor's matter.
"""

import os
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from proxy.channel.lifeline import (
    Accept,
    ControlLaunch,
    FromChild,
    Ready,
    Replace,
    Stage,
    Succession,
    WorkerEnded,
    WorkerLaunch,
)
from proxy.config.settings import Settings
from proxy.controlplane.supervision.child import Child
from proxy.controlplane.supervision.holdings.sockets import Sockets
from proxy.controlplane.supervision.host import plain
from proxy.controlplane.supervision.shares import shares


class Commands(Struct, frozen=True, kw_only=True):
    """How the children are started; the number of an open file is added: their lifeline."""

    control: Sequence[str]
    worker: Sequence[str]


class Children:
    """Control first, then the workers by number; `say` takes a line for people.

    `control_ready` is called whenever control is at work: started, or done with a reload.
    """

    def __init__(
        self,
        settings: Settings,
        commands: Commands,
        sockets: Sockets,
        say: Callable[[str], None],
        control_ready: Callable[[], None],
    ) -> None:
        self._control_ready = control_ready
        self._settings = settings
        self._sockets = sockets
        self._say = say
        self._restarts = {"control": 0, "worker": 0}
        self._stage: Stage = "none"
        self._down: set[int] = set()  # workers that can't accept at present
        self._files = [sock.fileno() for sock in sockets.traffic]
        self._shares = shares(len(self._files), settings.workers)
        self.control = self._make_control(commands.control)
        self.workers = [self._make_worker(commands.worker, n) for n in range(settings.workers)]

    def __iter__(self) -> Iterator[Child]:
        return iter([self.control, *self.workers])

    def succession(self, stage: Stage) -> None:
        """Let control, this one and those to come, know how far a successor is."""
        self._stage = stage
        self.control.tell(Succession(stage=stage))

    def _make_control(self, command: Sequence[str]) -> Child:
        sockets = self._sockets
        admin = sockets.admin.fileno()

        def launch() -> ControlLaunch:
            return ControlLaunch.of(
                self._settings,
                channel=sockets.channel.getsockname(),
                listener=sockets.channel.fileno(),
                admin=admin,
                tally=sockets.tally,
                restarts=dict(self._restarts),
                succession=self._stage,
            )

        def files() -> list[int]:
            listening = [] if self._stage == "done" else [admin]  # a successor's, then
            return [sockets.channel.fileno(), sockets.tally, *listening]

        def ended(_: int) -> None:
            self._restarts["control"] += 1

        def heard(message: FromChild) -> None:
            if isinstance(message, Replace):
                self._replace(message)
            elif isinstance(message, Ready):
                self._control_ready()

        return Child(
            "control",
            command,
            launch=launch,
            files=files,
            environment=os.environ,  # the configuration's ${NAME}
            ended=ended,
            heard=heard,
            say=self._say,
        )

    def _make_worker(self, command: Sequence[str], number: int) -> Child:
        settings, sockets = self._settings, self._sockets

        def launch() -> WorkerLaunch:
            return WorkerLaunch(
                worker=number,
                workers=settings.workers,
                listeners=tuple(self._files),
                accept=self._accept(number),
                tally=sockets.tally,
                channel=sockets.channel.getsockname(),
                tls=settings.tls,
                drain_grace_seconds=settings.drain_grace_seconds,
                drain_seconds=settings.drain_seconds,
            )

        def ended(pid: int) -> None:
            self._restarts["worker"] += 1
            news = WorkerEnded(worker=number, pid=pid, restarts=dict(self._restarts))
            self.control.tell(news)
            self._down.add(number)
            self._share()

        def heard(message: FromChild) -> None:
            if isinstance(message, Ready):
                self._down.discard(number)
                self._share()

        return Child(
            f"worker {number}",
            command,
            launch=launch,
            files=lambda: [*self._files, sockets.tally],
            environment=plain(os.environ),
            ended=ended,
            heard=heard,
            say=self._say,
        )

    def _replace(self, order: Replace) -> None:
        """End a worker that control has given up; others accept for it meanwhile."""
        known = order.worker < len(self.workers)
        starts = order.pid is None and order.worker in self._down
        if known and not starts and self.workers[order.worker].replace(order.pid, order.why):
            self._down.add(order.worker)
            self._share()

    def _share(self) -> None:
        """Tell the workers whose share of the sockets has changed."""
        before = self._shares
        self._shares = shares(len(self._files), len(self.workers), self._down)
        for number, worker in enumerate(self.workers):
            if self._shares[number] != before[number]:
                worker.tell(Accept(listeners=self._accept(number)))

    def _accept(self, number: int) -> tuple[int, ...]:
        return tuple(self._files[each] for each in self._shares[number])
