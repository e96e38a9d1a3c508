"""Alerts over windows and silences without a store or anybody to tell, for whoever needs them.

silencing, watching = quiet(clock)
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from proxy.alerting.notice import Notice
from proxy.alerting.silence import Silence
from proxy.alerting.windows import Standing
from proxy.controlplane.watching.silencing import Silencing
from proxy.controlplane.watching.watching import Watching
from proxy.errors import StoreError


class Memory:
    """Silences in memory; it may be away."""

    def __init__(self) -> None:
        self.rows: list[Silence] = []
        self.away = False

    def add(self, silence: Silence) -> Silence:
        self._look()
        self.rows.append(replace(silence, number=len(self.rows) + 1))
        return self.rows[-1]

    def end(self, number: int, at: float) -> Silence | None:
        found = next((each for each in self.lasting(at) if each.number == number), None)
        self.rows = [replace(each, ends_at=at) if each is found else each for each in self.rows]
        return found

    def lasting(self, at: float) -> Sequence[Silence]:
        self._look()
        return [each for each in self.rows if each.ends_at > at]

    def _look(self) -> None:
        if self.away:
            raise StoreError("the store is away")


class Nobody:
    """Is told, counts and remembers nothing."""

    def notice(self, notice: Notice) -> None:
        """Take it."""

    def resume(self, notice: Notice) -> None:
        """Take it."""

    def let_go(self) -> None:
        """Tell nothing more."""

    def fired(self, notice: Notice) -> None:
        """Take it."""

    def read(self) -> list[Standing]:
        return []

    def write(self, firing: Sequence[Standing]) -> None:
        """Take it."""


def quiet(clock: Callable[[], float]) -> tuple[Silencing, Watching]:
    """Return silences in memory, and alerts that nobody is told of."""
    silencing = Silencing(Memory(), clock)
    nobody = Nobody()
    watching = Watching(
        clock=clock,
        wall=clock,
        silenced=silencing.on,
        teller=nobody,
        counter=nobody,
        memory=nobody,
    )
    return silencing, watching
