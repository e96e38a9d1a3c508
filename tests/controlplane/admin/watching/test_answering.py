"""Alerts and silences over HTTP: what fires, who may silence it, and what is written down."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from proxy.alerting import AlertName
from proxy.alerting.windows import WindowAlert
from proxy.controlplane.admin.watching.models import LONGEST_SECONDS
from tests.support.administered import READER, Administered, administered, alert
from tests.support.alerted import fail
from tests.support.published import NOON

ALERTS, SILENCES = "/api/v1/alerts", "/api/v1/silences"
WHEN = datetime.fromtimestamp(NOON, UTC)
TEST = {"route": "support", "variant": "ft-v2", "seconds": 7200, "why": "a load test"}


async def firing(admin: Administered) -> list[dict[str, Any]]:
    admin.watching.look()
    found: list[dict[str, Any]] = (await admin.get(ALERTS)).json()["alerts"]
    return found


async def test_what_fires_is_shown_with_all_that_a_person_needs() -> None:
    async with administered() as admin:
        assert (await admin.get(ALERTS)).json() == {
            "alerts": [],
            "exchanges": [],
            "alert_seconds": 300.0,
        }
        fail(admin.watching)
        (found,) = await firing(admin)
        status = (await admin.get("/api/v1/status")).json()
    assert status["firing"] == [found]
    assert {name: found[name] for name in ("alert", "state", "route", "variant", "about")} == {
        "alert": "error_rate",
        "state": "firing",
        "about": None,
        "route": "support",
        "variant": "ft-v2",
    }
    assert (found["value"], found["threshold"], found["unit"]) == (100.0, 5.0, "%")
    assert (found["count"], found["request_ids"]) == (10, ["req-7", "req-8", "req-9"])
    assert found["sentence"].startswith("turnout: error_rate on support / ft-v2: 100 % of")
    assert found["runbook"] == "docs/runbooks/error_rate.md"
    assert found["fired_at"] == found["began_at"] is not None
    assert (found["ended_at"], found["silence"], found["silenced_until"]) == (None, None, None)


async def test_what_is_pending_and_single_exchanges_are_shown_too() -> None:
    async with administered() as admin:
        fail(admin.watching, for_seconds=60.0)
        admin.lately.alert(alert())
        found = (await admin.get(ALERTS)).json()
        status = (await admin.get("/api/v1/status")).json()
    assert [(each["state"], each["fired_at"]) for each in found["alerts"]] == [("pending", None)]
    assert [(each["alert"], each["count"]) for each in found["exchanges"]] == [("slow", 1)]
    assert status["firing"] == []


async def test_what_is_resolved_is_shown_for_an_hour() -> None:
    now = [NOON]
    async with administered(clock=lambda: now[0]) as admin:
        fail(admin.watching)
        now[0] += 400.0
        (found,) = await firing(admin)
        assert (found["state"], found["value"]) == ("resolved", None)
        assert datetime.fromisoformat(found["ended_at"]) == WHEN + timedelta(seconds=400)
        now[0] += 3600.0
        assert await firing(admin) == []


async def test_a_silence_is_made_shown_ended_and_written_down() -> None:
    async with administered() as admin:
        fail(admin.watching)
        made = await admin.post(SILENCES, TEST)
        (hushed,) = await firing(admin)
        listed = (await admin.get(SILENCES)).json()
        ended = await admin.delete(f"{SILENCES}/1?why=it+is+over")
        (loud,) = await firing(admin)
        rest = (await admin.get(SILENCES)).json()
        entries = admin.entries
    assert made.status_code == ended.status_code == 200
    silence = made.json()
    assert listed == {"silences": [silence]}
    assert (silence["number"], silence["who"], silence["why"]) == (1, "ann", "a load test")
    assert (silence["alert"], silence["route"], silence["variant"]) == (None, "support", "ft-v2")
    ends = WHEN + timedelta(hours=2)
    assert datetime.fromisoformat(silence["ends_at"]) == ends
    assert (hushed["silence"], datetime.fromisoformat(hushed["silenced_until"])) == (1, ends)
    assert (loud["silence"], rest) == (None, {"silences": []})
    assert [(each.action, each.target, each.why, each.result) for each in entries] == [
        ("add_silence", "1 (support ft-v2)", "a load test", "done"),
        ("end_silence", "1 (support ft-v2)", "it is over", "done"),
    ]
    assert entries[0].detail == f"until {ends:%Y-%m-%d %H:%M:%S} UTC"


async def test_of_everything_must_be_said() -> None:
    async with administered() as admin:
        said = {"everything": True, "seconds": 60, "why": "a drill"}
        assert (await admin.post(SILENCES, said)).status_code == 200
        assert admin.entries[-1].target == "1 (everything)"
        for body in (said | {"everything": False}, said | {"route": "support"}):
            refused = await admin.post(SILENCES, body)
            assert refused.status_code == 400
            assert "Say which alerts" in refused.json()["detail"]["message"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (TEST | {"alert": "slwo"}, 400, "There is no alert of this name; there are: slow, "),
        (TEST | {"route": "suport"}, 404, "no such route; there are: support, org/chat."),
        (TEST | {"variant": "ft"}, 404, "no such variant; there are: base, ft-v2."),
        ({"variant": "ft", "seconds": 1, "why": "x"}, 404, "there are: base, ft-v2."),
        (TEST | {"seconds": 0}, 400, "seconds"),
        (TEST | {"seconds": LONGEST_SECONDS + 1}, 400, "seconds"),
        (TEST | {"why": ""}, 400, "why"),
        ({"route": "support", "seconds": 60}, 400, "why is missing"),
    ],
    ids=str,
)
async def test_what_would_silence_nothing_is_refused_with_what_there_is(
    body: dict[str, Any], status: int, told: str
) -> None:
    async with administered() as admin:
        refused = await admin.post(SILENCES, body)
        assert refused.status_code == status
        assert told in refused.text
        assert admin.entries[-1].result == "refused"
        assert (await admin.get(SILENCES)).json() == {"silences": []}


@pytest.mark.parametrize("name", [*AlertName, *WindowAlert], ids=str)
async def test_every_alert_there_is_can_be_silenced(name: str) -> None:
    async with administered() as admin:
        said = {"alert": name, "seconds": 60, "why": "a drill"}
        assert (await admin.post(SILENCES, said)).status_code == 200


async def test_what_is_over_or_never_was_can_not_be_ended() -> None:
    now = [NOON]
    async with administered(clock=lambda: now[0]) as admin:
        await admin.post(SILENCES, TEST)
        now[0] += 7200.0
        for number in (1, 7):
            refused = await admin.delete(f"{SILENCES}/{number}")
            assert refused.status_code == 404
            assert f"no silence {number} that lasts" in refused.text
        assert admin.entries[-1].target == "7"
        assert (await admin.get(SILENCES)).json() == {"silences": []}


@pytest.mark.parametrize(
    "ask",
    [
        lambda admin: admin.ask("POST", SILENCES, TEST, token=READER),
        lambda admin: admin.ask("DELETE", f"{SILENCES}/1", token=READER),
        lambda admin: admin.ask("GET", SILENCES, token=None),
        lambda admin: admin.ask("GET", ALERTS, token=None),
    ],
)
async def test_who_may_not_is_refused(ask: Callable[[Administered], Any]) -> None:
    async with administered() as admin:
        assert (await ask(admin)).status_code in (401, 403)
        assert admin.silencing.lasting == []


async def test_where_the_store_is_away_no_silence_is_made() -> None:
    async with administered() as admin:
        kept: Any = admin.silencing._kept
        kept.away = True
        refused = await admin.post(SILENCES, TEST)
        assert refused.status_code == 503
        assert "nothing was changed" in refused.text
        assert (await admin.get(SILENCES)).json() == {"silences": []}
