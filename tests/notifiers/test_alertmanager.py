"""Alertmanager, the real one: what turnout tells it, and what becomes of that."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from proxy.alerting import Alert, AlertName, State, noticed
from proxy.alerting.folding import single
from proxy.alerting.notice import TEST
from proxy.config.settings import Alertmanager, Notify
from proxy.notifiers import Notifiers
from proxy.notifiers import alertmanager as module
from proxy.notifiers.alertmanager import alert, labels
from tests.support.alertmanager import alertmanager, program
from tests.support.noticed import NOW, on, slow, window
from tests.support.observed import observed
from tests.support.patience import eventually
from tests.support.programs import free_port
from tests.support.receiver import Receiver, receiver

needs_alertmanager = pytest.mark.skipif(
    program() is None, reason="no Alertmanager: apt-get install prometheus-alertmanager"
)


@asynccontextmanager
async def telling(url: str, host: str = "gpu-7") -> AsyncIterator[Notifiers]:
    """Run notifiers by real time, of which Alertmanager at `url` is the only one."""
    found = Notifiers(
        agent="turnout/test", host=host, clock=time.monotonic, wall=time.time, dice=lambda: 0.0
    )
    found.adopt(Notify(alertmanager=Alertmanager(url=url)), ())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(found.run())
        yield found
        await found.close(1.0)


def ends(alert: dict[str, Any]) -> float:
    """Return when an alert ends, as turnout says it or as Alertmanager does."""
    said = alert["endsAt"]
    return float((datetime.fromisoformat(said) if isinstance(said, str) else said).timestamp())


def names(alerts: list[dict[str, Any]]) -> set[str]:
    return {each["labels"]["alertname"] for each in alerts}


@needs_alertmanager
async def test_alerts_are_grouped_kept_up_and_resolved_in_a_real_alertmanager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They last two seconds here: what lasts longer was told afresh in time."""
    monkeypatch.setattr(module, "LASTS_SECONDS", 2.0)
    monkeypatch.setattr(module.AlertmanagerCarrier, "refresh_seconds", 0.3)
    now = time.time()
    async with (
        receiver(*[200] * 100) as pager,
        alertmanager(tmp_path, pager.url) as manager,
        telling(manager.url) as notifiers,
    ):
        assert await eventually(manager.up, bool)
        for route in ("support", "classify"):
            notifiers.take(on(route, first_at=now - 60.0, last_at=now))
        notifiers.take(slow(at=now))
        await eventually(manager.groups, lambda groups: sum(len(g["alerts"]) for g in groups) == 3)
        groups = {g["labels"]["route"]: names(g["alerts"]) for g in await manager.groups()}
        assert groups == {
            "support": {"TurnoutErrorRate", "TurnoutSlow"},
            "classify": {"TurnoutErrorRate"},
        }
        await eventually(manager.alerts, lambda alerts: all(ends(a) > now + 3.5 for a in alerts))
        assert names(await manager.alerts()) == {"TurnoutErrorRate", "TurnoutSlow"}
        notifiers.take(on("support", State.RESOLVED, first_at=now - 60.0, last_at=now))
        left = await eventually(manager.alerts, lambda alerts: len(alerts) == 2)
        assert {(a["labels"]["alertname"], a["labels"]["route"]) for a in left} == {
            ("TurnoutErrorRate", "classify"),
            ("TurnoutSlow", "support"),
        }
        await eventually(
            lambda: resolved(pager), lambda found: ("TurnoutErrorRate", "support") in found
        )
    (error,) = [
        each
        for post in pager.posts
        for each in post["alerts"]
        if each["labels"]["route"] == "classify"
    ][:1]
    assert error["annotations"]["summary"].startswith("turnout: 7.5 % of the requests")
    assert error["annotations"]["runbook_url"] == "docs/runbooks/error_rate.md"
    assert error["annotations"]["request_ids"] == "req-7, req-8"


async def resolved(pager: Receiver) -> set[tuple[str, str]]:
    """Return which alerts its receiver was told to be over."""
    return {
        (each["labels"]["alertname"], each["labels"]["route"])
        for post in pager.posts
        for each in post["alerts"]
        if each["status"] == "resolved"
    }


@needs_alertmanager
async def test_an_alertmanager_that_was_down_is_told_what_fires_once_it_is_back(
    tmp_path: Path,
) -> None:
    now, port = time.time(), free_port()
    async with receiver() as pager, telling(f"http://127.0.0.1:{port}") as notifiers:
        notifiers.take(on("gone", first_at=now - 9.0))
        notifiers.take(on("here", first_at=now - 9.0))
        notifiers.take(on("gone", State.RESOLVED, first_at=now - 9.0))
        async with alertmanager(tmp_path, pager.url, port) as manager:
            assert await eventually(manager.up, bool)
            alerts = await eventually(manager.alerts, bool)
    assert [each["labels"]["route"] for each in alerts] == ["here"]
    assert alerts[0]["labels"]["host"] == "gpu-7"


def test_what_fires_ends_well_after_it_is_told_afresh() -> None:
    assert ends(alert(window(), "gpu-7", NOW + 600.0)) == NOW + 600.0 + 240.0
    assert module.AlertmanagerCarrier.refresh_seconds == 60.0


def test_what_is_over_ends_now() -> None:
    assert ends(alert(window(State.RESOLVED), "gpu-7", NOW + 600.0)) == NOW + 600.0


@pytest.mark.parametrize("state", State)
def test_nothing_ends_before_it_began_though_the_clock_was_set_back(state: State) -> None:
    told = alert(window(state), "gpu-7", NOW - 7200.0)
    assert told["startsAt"] <= told["endsAt"]


def test_single_exchanges_end_by_themselves() -> None:
    assert ends(alert(slow(), "gpu-7", NOW)) == NOW + 300.0


def test_labels_tell_alerts_apart_and_stay_the_same_to_the_end() -> None:
    assert labels(window(), "gpu-7") == {
        "alertname": "TurnoutErrorRate",
        "severity": "warning",
        "host": "gpu-7",
        "route": "support",
    }
    assert labels(window(), "gpu-7") == labels(window(State.RESOLVED), "gpu-7")
    raised = Alert(
        name=AlertName.BUDGET,
        value=85.5,
        threshold=80.0,
        at=NOW,
        observation=observed(),
        about="80% of route support's 100 USD a month",
    )
    budget = labels(noticed(single(raised), 60.0), "gpu-7")
    assert budget["about"] == "80% of route support's 100 USD a month"
    assert budget["variant"] == "base"
    assert labels(window(name=TEST), "gpu-7")["severity"] == "info"
