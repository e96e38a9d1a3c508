"""What changes is logged, counted and told; what fires is told again with its latest figures."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from proxy.alerting.notice import Notice
from proxy.alerting.silence import Silence
from proxy.alerting.windows import Rule, WindowAlert
from proxy.controlplane.watching import watching as module
from proxy.controlplane.watching.watching import Watching
from proxy.exchange import Outcome
from proxy.routing.table import Route, RoutingTable, Variant
from tests.support.observed import observed
from tests.support.patience import until

EPOCH = 1_795_000_000.0
RULE = Rule(
    name=WindowAlert.ERROR_RATE,
    threshold=10.0,
    window_seconds=60.0,
    for_seconds=10.0,
    min_requests=5,
)
SUPPORT = Route(name="support", variants=(Variant(name="base", upstream="u"),), weights=(1.0,))
TABLE = RoutingTable(version=1, digest="", routes={"support": SUPPORT})
SILENCE = Silence(number=3, begins_at=EPOCH, ends_at=EPOCH + 9e9, who="ann", why="a test")


class House:
    """Watching at a time of the test's, and whoever is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.silence: Silence | None = None
        self.told: list[Notice] = []
        self.counted: list[str] = []
        self.watching = Watching(
            clock=lambda: self.now,
            wall=lambda: EPOCH + self.now,
            silenced=lambda *_: self.silence,
            teller=self,
            counter=self,
        )
        self.watching.adopt(TABLE, (RULE,), {})

    def notice(self, notice: Notice) -> None:
        self.told.append(notice)

    def fired(self, notice: Notice) -> None:
        self.counted.append(notice.name)

    def saw(self, count: int, **changes: Any) -> None:
        self.watching.take([observed(**changes) for _ in range(count)])

    def failed(self, count: int = 10) -> None:
        self.saw(count, outcome=Outcome.UPSTREAM_ERROR, status=502)

    def look(self, after: float = 0.0) -> list[dict[str, Any]]:
        """Look, and return what was logged."""
        self.now += after
        with capture_logs() as lines:
            self.watching.look()
        return [dict(line) for line in lines]

    def phases(self) -> list[str]:
        return [each.standing.phase.value for each in self.watching.shown()]


@pytest.fixture
def house() -> House:
    with capture_logs():  # loggers bound here are those that tests read
        return House()


def test_what_is_pending_is_shown_and_nobody_is_told(house: House) -> None:
    house.failed()
    assert house.look() == []
    assert house.phases() == ["pending"]
    assert (house.told, house.counted, house.watching.firing) == ([], [], ())


def test_what_fires_is_logged_and_counted_once_and_told_anew_at_each_look(house: House) -> None:
    house.failed()
    house.look()
    (line,) = house.look(10.0)
    assert (line["log_level"], line["event"], line["alert"]) == (
        *("warning", "alert firing", "error_rate"),
    )
    assert (line["route"], line["variant"], line["value"]) == ("support", "base", 100.0)
    assert (line["threshold"], line["unit"], line["count"]) == (10.0, "%", 10)
    assert (line["silenced"], line["request_ids"]) == (False, ("req-1",) * 3)
    house.saw(10)
    assert house.look(1.0) == []
    assert house.counted == ["error_rate"]
    assert [each.value for each in house.told] == [100.0, 50.0]
    assert len({each.key for each in house.told}) == 1
    assert house.phases() == ["firing"]


def test_what_is_well_is_resolved_told_once_and_shown_for_a_while(house: House) -> None:
    house.failed()
    house.look()
    house.look(10.0)
    house.saw(1000)
    house.look(1.0)
    (line,) = house.look(10.0)
    assert (line["log_level"], line["event"]) == ("info", "alert resolved")
    assert line["seconds"] == 21.0
    assert [each.state.value for each in house.told] == ["firing", "firing", "resolved"]
    assert house.told[-1].ends_at == EPOCH + 21
    assert house.phases() == ["resolved"]
    house.look(3601.0)
    assert house.phases() == []


def test_a_silence_is_marked_and_what_it_is_on_is_logged_and_counted(house: House) -> None:
    house.silence = SILENCE
    house.failed()
    house.look()
    (line,) = house.look(10.0)
    assert line["silenced"] is True
    assert house.counted == ["error_rate"]
    assert [each.silence for each in house.watching.firing] == [SILENCE]


async def test_it_looks_while_it_runs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    house.failed()
    running = asyncio.create_task(house.watching.run())
    await until(lambda: house.phases() == ["pending"])
    house.now = 10.0
    await until(lambda: bool(house.told))
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
