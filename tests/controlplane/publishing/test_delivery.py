"""Settings brought to workers that the test plays."""

from collections.abc import Collection

from proxy.channel.lifeline import Replace
from proxy.config.settings import DataPlane
from proxy.controlplane.publishing.delivery import Delivery
from tests.support.data_plane import settings_of

SETTINGS = settings_of(upstreams=[])


class Crew:
    """Three workers, some of them late."""

    def __init__(self, late: dict[int, int | None]) -> None:
        self.running = 3
        self.late = late
        self.waited_for: list[list[int]] = []
        self.replaced: list[tuple[int, int | None, str]] = []
        self.now = 100.0

    async def publish(self, settings: DataPlane, seconds: float) -> dict[int, int | None]:
        assert settings is SETTINGS
        self.now += seconds if self.late else 0.003
        return self.late

    async def settled(self, workers: Collection[int], seconds: float) -> None:
        self.waited_for.append(list(workers))
        self.now += seconds

    def delivery(self) -> Delivery:
        return Delivery(self, self._replace, lambda: self.now, patience=4.0)

    def _replace(self, order: Replace) -> None:
        self.replaced.append((order.worker, order.pid, order.why))


async def test_it_tells_on_how_many_workers_after_how_many_milliseconds() -> None:
    crew = Crew(late={})
    pushed = await crew.delivery().push(SETTINGS)

    assert (pushed.workers, pushed.of, pushed.late) == (3, 3, ())
    assert round(pushed.milliseconds, 6) == 3.0
    assert (crew.replaced, crew.waited_for) == ([], [])


async def test_who_is_late_is_named_and_ended_before_it_is_answered_for() -> None:
    crew = Crew(late={1: 71})
    pushed = await crew.delivery().push(SETTINGS)

    assert (pushed.workers, pushed.of, pushed.late) == (2, 3, (1,))
    (number, pid, why) = crew.replaced[0]
    assert (number, pid) == (1, 71)
    assert "within 4 s" in why
    assert crew.waited_for == [[1]]


async def test_one_that_never_came_is_ended_whichever_process_it_is() -> None:
    crew = Crew(late={2: None})
    pushed = await crew.delivery().push(SETTINGS)

    assert (pushed.workers, pushed.late) == (2, (2,))
    assert [(number, pid) for number, pid, _ in crew.replaced] == [(2, None)]
