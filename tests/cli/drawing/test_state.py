from datetime import UTC, datetime, timedelta
from typing import Any

from proxy.cli.drawing.state import state
from proxy.controlplane.admin import models
from tests.cli.drawing.test_bars import lines, route, variant

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def a_minute_before(minutes: float = 1) -> datetime:
    return NOW - timedelta(minutes=minutes)


def status(**changes: Any) -> models.Status:
    """Return the state of two workers that are well, on one route."""
    table = models.Table(
        version=8,
        digest="d",
        workers=2,
        source="rollback",
        who="ann",
        why="replies got short",
        at=a_minute_before(3),
    )
    said: dict[str, Any] = {
        "version": "0.2.0",
        "degraded": [],
        "table": table,
        "routes": [route(variant("base", 1.0))],
        "hosts": [host("one", here=True)],
        "workers": [worker(0), worker(1)],
        "restarts": {"worker": 0, "control": 0},
        "exchanges": models.Exchanges(begun=0, taken=0, dropped=0, lost=0, in_flight=0),
        "upstreams": [],
        "firing": [],
        "alerts": [],
        "alert_seconds": 300.0,
        "budgets": [],
        "reading": None,
        **changes,
    }
    return models.Status(**said)


def host(name: str, **changes: Any) -> models.HostStatus:
    said: dict[str, Any] = {
        "here": False,
        "state": "in_force",
        "version": 8,
        "workers": 2,
        "in_force": 2,
        "release": "0.2.0",
        "started_at": NOW,
        "unseen_seconds": 0.5,
        "trouble": "",
        **changes,
    }
    return models.HostStatus(name=name, **said)


def worker(number: int, table_version: int | None = 8) -> models.WorkerStatus:
    return models.WorkerStatus(
        number=number,
        pid=100 + number,
        version="0.2.0",
        table_version=table_version,
        in_flight=3,
        connections=12,
    )


def reading(result: Any, **more: Any) -> models.LastReading:
    said = {"problems": [], "restart_needed": [], **more}
    return models.LastReading(at=a_minute_before(), result=result, **said)


def told(width: int = 100, **changes: Any) -> str:
    return "\n".join(lines(state(status(**changes), NOW), width))


def test_which_version_is_in_force_since_when_and_why_comes_first() -> None:
    assert told().splitlines()[:2] == [
        "turnout 0.2.0  version 8 in force on 2/2 workers",
        "3 minutes ago, rollback by ann: replies got short",
    ]


def test_each_worker_has_its_version_and_what_it_is_busy_with() -> None:
    rows = [line.split() for line in told(workers=[worker(0), worker(1, None)]).splitlines()]

    assert ["0", "100", "8", "3", "12", "0.2.0"] in rows
    assert ["1", "101", "none", "3", "12", "0.2.0"] in rows


def test_processes_that_were_started_again_are_told() -> None:
    assert "started again: worker 2" in told(restarts={"worker": 2, "control": 0})
    assert "started again" not in told()


def test_an_upstream_that_workers_keep_out_stands_out() -> None:
    upstream = models.UpstreamStatus(
        name="vllm",
        open=5,
        idle=2,
        waiting=1,
        ejected_by=1,
        requests=40,
        retries=4,
        ejections=1,
        connect_failures=0,
    )
    well = upstream.model_copy(update={"name": "openai", "ejected_by": 0})
    rows = [" ".join(line.split()) for line in told(upstreams=[upstream, well]).splitlines()]

    assert "vllm ejected by 1/2 workers 3 1 40 4" in rows
    assert "openai well 3 1 40 4" in rows


def test_alerts_are_those_of_the_last_minutes() -> None:
    alert = models.AlertCount(
        alert="short", route="support", variant="ft-v2", count=7, last=a_minute_before(2)
    )
    passed = models.AlertCount(alert="slow", route=None, variant=None, count=1, last=NOW)
    rows = [" ".join(line.split()) for line in told(alerts=[alert, passed]).splitlines()]

    assert "short support/ft-v2 7 2 minutes ago" in rows
    assert "slow passed through 1 just now" in rows
    assert "alerts of the last 5 minutes: none" in told()


def test_why_it_is_degraded_comes_before_all_else_with_every_problem() -> None:
    rejected = reading("rejected", problems=["turnout.yaml:3:1: routes is missing"])

    rows = told(degraded=["the file has problems"], reading=rejected).splitlines()

    assert rows[2:4] == ["DEGRADED the file has problems", "  turnout.yaml:3:1: routes is missing"]
    assert rows[-1] == "file: read 1 minute ago: rejected"


def test_the_last_reading_says_what_takes_a_restart() -> None:
    told_ = told(reading=reading("published", restart_needed=["listen", "tls"]))

    assert "file: read 1 minute ago: published; it takes a restart: listen, tls" in told_
    assert "file: not read since the start" in told()


def test_no_routes_means_that_everything_is_passed_through() -> None:
    assert "no routes: everything goes to the default upstream" in told(routes=[])


def test_a_narrow_terminal_is_not_overrun() -> None:
    long = [worker(0), worker(1)]

    assert all(len(line) <= 40 for line in told(40, workers=long).splitlines())


def test_hosts_that_share_the_store_stand_there_with_what_is_wrong_with_them() -> None:
    assert "host " not in told(), "one alone is no news"
    text = told(
        hosts=[
            host("one", here=True),
            host("two", state="behind", version=7, trouble="version 8 does not fit"),
            host("three", state="silent", trouble="not seen for 5 m"),
        ]
    )
    assert "one (here)  8        2/2      0.2.0  in force" in text
    assert "two         7        2/2      0.2.0  behind: version 8 does not fit" in text
    assert "silent: not seen for 5 m" in text
    assert "called one" in told(hosts=[host("one", here=True, trouble="two are called one")])
