"""What readers see: status, routing, history, differences, the audit log, explanations."""

from collections.abc import AsyncIterator

import pytest

from proxy.alerting import AlertName
from proxy.controlplane.admin import models
from tests.support.administered import FILE, Administered, administered, alert

SPLIT = "/api/v1/routes/support/split"


@pytest.fixture
async def admin() -> AsyncIterator[Administered]:
    async with administered() as running:
        yield running


async def status(admin: Administered) -> models.Status:
    return models.Status.model_validate_json((await admin.get("/api/v1/status")).content)


async def test_status_says_what_is_in_force_and_who_put_it_there(admin: Administered) -> None:
    await admin.post(SPLIT, {"weights": {"base": 3, "ft-v2": 1}, "why": "a quarter"})
    table = (await status(admin)).table
    assert (table.version, table.source, table.who, table.why) == (2, "api", "ann", "a quarter")
    assert table.workers == 0  # they have acknowledged version 1 only
    routes = {route.name: route for route in (await status(admin)).routes}
    assert set(routes) == {"support", "org/chat"}
    base, tuned = routes["support"].variants
    assert (base.name, base.baseline, base.weight, base.share) == ("base", True, 3, 0.75)
    assert (tuned.name, tuned.baseline, tuned.weight, tuned.share) == ("ft-v2", False, 1, 0.25)
    assert (tuned.upstream, tuned.model) == ("vllm", "lora")


async def test_status_shows_what_is_off_pinned_and_shadowed(admin: Administered) -> None:
    await admin.put("/api/v1/routes/support/shadow", {"variant": "ft-v2", "percent": 5})
    await admin.put("/api/v1/routes/support/pins", {"unit": "alice", "variant": "base"})
    await admin.post("/api/v1/variants/ft-v2/off", {"route": "support"})
    route = next(each for each in (await status(admin)).routes if each.name == "support")
    assert [(each.off, each.weight, each.share) for each in route.variants] == [
        (False, 90, 1.0),
        (True, 10, 0.0),
    ]
    assert route.pins == 1
    assert route.shadow is not None
    assert (route.shadow.variant, route.shadow.percent, route.shadow.timeout_seconds) == (
        "ft-v2",
        5.0,
        60.0,
    )


async def test_status_says_how_workers_and_upstreams_are(admin: Administered) -> None:
    shown = await status(admin)
    assert [(each.number, each.pid, each.table_version) for each in shown.workers] == [
        (0, 70, 1),
        (1, 71, 1),
    ]
    assert shown.table.workers == 2
    assert (shown.workers[0].in_flight, shown.exchanges.in_flight) == (2, 4)
    (upstream,) = shown.upstreams
    assert (upstream.name, upstream.requests, upstream.ejected_by) == ("openai", 18, 1)
    assert shown.restarts == {"worker": 2, "control": 0}
    assert (shown.exchanges.begun, shown.exchanges.lost) == (0, 0)


async def test_status_counts_the_alerts_of_the_last_minutes(admin: Administered) -> None:
    for _ in range(3):
        admin.lately.alert(alert("ft-v2", AlertName.SHORT))
    (count,) = (await status(admin)).alerts
    assert (count.alert, count.route, count.variant, count.count) == (
        "short",
        "support",
        "ft-v2",
        3,
    )


async def test_status_says_what_the_last_reading_of_the_file_came_to(admin: Administered) -> None:
    first = (await status(admin)).reading
    assert first is not None
    assert (first.result, first.problems, first.restart_needed) == ("published", [], [])
    admin.house.write("upstreams: {}")
    await admin.post("/api/v1/reload")
    shown = await status(admin)
    assert shown.reading is not None
    assert shown.reading.result == "rejected"
    assert "upstreams" in shown.reading.problems[0]
    assert "last good" in shown.degraded[0]


async def test_the_routing_is_shown_as_the_file_would_say_it_with_its_version_as_etag(
    admin: Administered,
) -> None:
    answer = await admin.get("/api/v1/routing")
    routing = models.Routing.model_validate_json(answer.content)
    assert answer.headers["etag"] == '"1"'
    assert routing.contents["default_upstream"] is None
    variants = answer.json()["contents"]["routes"]["support"]["variants"]
    assert list(variants) == ["base", "ft-v2"]  # in their order: it says who is the baseline
    assert [route.name for route in routing.routes] == ["org/chat", "support"]


async def test_versions_come_newest_first_and_page_by_page(admin: Administered) -> None:
    for weight in (1, 2, 3, 4):
        await admin.post(SPLIT, {"weights": {"base": weight, "ft-v2": 1}})
    pages, before = [], ""
    while True:
        answer = await admin.get(f"/api/v1/versions?limit=2{before}")
        page = models.Versions.model_validate_json(answer.content)
        pages.append([each.number for each in page.versions])
        assert [each.in_force for each in page.versions] == [
            each.number == 5 for each in page.versions
        ]
        if page.before is None:
            break
        before = f"&before={page.before}"
    assert pages == [[5, 4], [3, 2], [1]]


async def test_a_version_is_shown_with_its_contents(admin: Administered) -> None:
    whole = models.WholeVersion.model_validate_json(
        (await admin.get("/api/v1/versions/1")).content
    )
    assert (whole.number, whole.source, whole.parent) == (1, "file", None)
    assert "support" in str(whole.contents)


async def test_differences_name_the_place_and_leave_out_what_stands_nowhere(
    admin: Administered,
) -> None:
    await admin.put("/api/v1/routes/support/pins", {"unit": "alice", "variant": "ft-v2"})
    answer = await admin.get("/api/v1/versions/1/diff/2")
    assert answer.json() == {
        "from": 1,
        "to": 2,
        "differences": [{"path": ["routes", "support", "pins"], "after": {"alice": "ft-v2"}}],
    }
    (found,) = models.Diff.model_validate_json(answer.content).differences
    assert "before" not in found.model_fields_set
    back = (await admin.get("/api/v1/versions/2/diff/1")).json()["differences"][0]
    assert set(back) == {"path", "before"}


@pytest.mark.parametrize(
    ("path", "status_code"),
    [
        ("/api/v1/versions/7", 404),
        ("/api/v1/versions/1/diff/7", 404),
        ("/api/v1/versions/0", 400),
        ("/api/v1/versions/-1", 400),
        ("/api/v1/versions/x", 400),
        ("/api/v1/versions/99999999999999999999", 400),
        ("/api/v1/versions?limit=0", 400),
        ("/api/v1/versions?limit=100000", 400),
        ("/api/v1/versions?before=99999999999999999999", 400),
        ("/api/v1/audit?before=1e9", 400),
        ("/api/v1/routes/nope/explain", 404),
        ("/api/v1/routes/support/explain?variant=nope", 400),
        ("/api/v1/routes/support/explain?unit=%0a", 400),
        ("/api/v1/routes/support/explain?unit=", 400),
    ],
)
async def test_what_is_not_there_or_makes_no_sense_is_said(
    admin: Administered, path: str, status_code: int
) -> None:
    answer = await admin.get(path)
    assert (answer.status_code, bool(answer.json()["detail"]["message"])) == (status_code, True)


async def test_the_audit_log_comes_newest_first_and_page_by_page(admin: Administered) -> None:
    for why in ("first", "second", "third"):
        await admin.post(SPLIT, {"weights": {"base": 1}, "why": why})
    page = models.Audit.model_validate_json((await admin.get("/api/v1/audit?limit=2")).content)
    assert [(each.number, each.why) for each in page.entries] == [(4, "third"), (3, "second")]
    answer = await admin.get(f"/api/v1/audit?limit=2&before={page.before}")
    last = models.Audit.model_validate_json(answer.content)
    assert [(each.action, each.why) for each in last.entries] == [
        ("split", "first"),
        ("start", "first start"),
    ]
    assert last.before is None


async def test_an_explanation_says_which_variant_and_why(admin: Administered) -> None:
    answer = await admin.get("/api/v1/routes/support/explain?unit=alice")
    told = models.Explained.model_validate_json(answer.content)
    assert (told.route, told.unit, told.variant, told.pinned) == (
        "support",
        "alice",
        "base",
        False,
    )
    assert "'alice' stands at" in told.why
    await admin.put("/api/v1/routes/support/shadow", {"variant": "ft-v2", "percent": 5})
    await admin.put("/api/v1/routes/support/pins", {"unit": "alice", "variant": "ft-v2"})
    pinned = (await admin.get("/api/v1/routes/support/explain?unit=alice")).json()
    assert (pinned["version"], pinned["variant"], pinned["pinned"]) == (3, "ft-v2", True)
    forced = (await admin.get("/api/v1/routes/support/explain?variant=ft-v2")).json()
    assert (forced["variant"], forced["forced"]) == ("ft-v2", True)
    assert forced["shadow"] == {
        "variant": "ft-v2",
        "percent": 5.0,
        "timeout_seconds": 60.0,
        "concurrency": 16,
    }
    by_chance = (await admin.get("/api/v1/routes/org%2Fchat/explain")).json()
    assert (by_chance["route"], by_chance["variant"]) == ("org/chat", None)


async def test_a_route_that_sticks_to_keys_takes_no_other_unit(admin: Administered) -> None:
    admin.house.write(FILE.replace("split:", "sticky: key\n    split:", 1))
    await admin.post("/api/v1/reload")
    path = "/api/v1/routes/support/explain?unit="
    refused = await admin.get(f"{path}secret")
    told = (await admin.get(path + "A" * 64)).json()
    assert refused.status_code == 400
    assert "SHA-256" in refused.json()["detail"]["message"]
    assert told["unit"] == "a" * 64


async def test_a_store_that_can_not_be_read_is_no_secret_and_its_words_are(
    admin: Administered,
) -> None:
    admin.house.versions.broken = True
    for path in ("/api/v1/versions", "/api/v1/versions/1", "/api/v1/audit"):
        answer = await admin.get(path)
        assert (answer.status_code, "canary" in answer.text) == (503, False)
    assert (await admin.get("/api/v1/status")).status_code == 200
