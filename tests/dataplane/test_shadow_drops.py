"""Which requests have a shadow, and what a shadow gives way to."""

import asyncio
from typing import Any

import pytest

from proxy.exchange import ErrorCode, Outcome
from tests.support.data_plane import serving
from tests.support.scripted_upstream import (
    HANG,
    ScriptedUpstream,
    chat_events,
    chunk,
    error_reply,
    head,
)
from tests.support.shadowed import CHAT, ask, pair, reply, report, shadowed

CHUNKED = [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")]


# Which requests have one.


async def test_chance_decides_by_the_routes_percentage(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    thrown = [0.0, 0.24999, 0.25, 0.99]
    left = iter(thrown)

    def random_bits(count: int) -> int:
        return int(next(left) * 2**53) if count == 53 else 7

    settings = shadowed(base.port, tuned.port, percent=25, route={"sticky": "key"})
    async with serving(settings, random_bits=random_bits) as turnout:
        for _ in thrown:
            await turnout.post(CHAT, ask(), {"authorization": "Bearer theirs"})
        seen = [await turnout.observed() for _ in range(len(thrown) + 2)]
        assert sum(each.shadow_of is not None for each in seen) == 2
        account = report(turnout)
    assert (account.expected, account.sent, account.dropped) == (1.0, 2, {})


@pytest.mark.parametrize(
    ("route", "headers"),
    [
        ({"shadow": None}, {}),
        ({}, {"x-turnout-variant": "base"}),
        ({"weights": (0.0, 1.0)}, {}),  # the shadow's own variant served
        ({"off": ("ft",)}, {}),
        ({"pins": {"alice": "base"}}, {}),
    ],
    ids=["none", "forced", "its own", "off", "pinned"],
)
async def test_what_makes_no_pair_has_no_shadow(
    base: ScriptedUpstream,
    tuned: ScriptedUpstream,
    route: dict[str, Any],
    headers: dict[str, str],
) -> None:
    async with serving(shadowed(base.port, tuned.port, route=route)) as turnout:
        for _ in range(3):
            assert (await turnout.post(CHAT, ask(user="alice"), headers)).status_code == 200
            assert (await turnout.observed()).shadow_of is None
        assert turnout.service.shadows.report() == ()


async def test_a_fallback_to_the_shadows_variant_is_not_repeated(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    base.by_default = error_reply(500)
    async with serving(shadowed(base.port, tuned.port, route={"fallback": ("ft",)})) as turnout:
        assert (await turnout.post(CHAT, ask())).status_code == 200
        assert (await turnout.observed()).variant_served == "ft"
        assert turnout.service.shadows.report() == ()


async def test_what_the_upstream_refused_is_repeated_and_what_we_refused_is_not(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    base.by_default = error_reply(400)
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        served, shadow = await pair(turnout)
        assert (served.status, shadow.status) == (400, 200)
        assert (await turnout.post(CHAT, ask(n=1000))).status_code == 400
        await turnout.observed()
        assert report(turnout).sent == 1


async def test_a_client_that_left_is_not_followed(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    base.by_default = [HANG]
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        asking = asyncio.ensure_future(turnout.post(CHAT, ask()))
        await base.request()
        asking.cancel()
        assert (await turnout.observed()).outcome is Outcome.CLIENT_GONE
        assert turnout.service.shadows.report() == ()


async def test_a_client_that_leaves_after_its_reply_takes_no_shadow_along(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    gate = asyncio.Event()
    tuned.by_default = [gate, *reply("tuned")]
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        await turnout.post(CHAT, ask())
        await turnout.observed()
        await tuned.request()
        await turnout.client.aclose()
        gate.set()
        assert (await turnout.observed()).outcome is Outcome.COMPLETED


async def test_a_shadow_that_was_switched_off_meanwhile_does_not_begin(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    gate = asyncio.Event()
    base.by_default = [gate, *reply("base")]
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        asking = asyncio.ensure_future(turnout.post(CHAT, ask()))
        await base.request()
        turnout.service.adopt(shadowed(base.port, tuned.port, route={"shadow": None}))
        gate.set()
        assert (await asking).status_code == 200
        await turnout.observed()
        assert turnout.service.shadows.report() == ()


# What gives way.


async def test_what_is_above_the_budget_is_dropped_until_there_is_room_again(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    gate = asyncio.Event()
    tuned.by_default = [gate, *reply("tuned")]
    # Three at once over two workers: two for this one.
    async with serving(shadowed(base.port, tuned.port, concurrency=3, workers=2)) as turnout:
        for _ in range(4):
            await turnout.post(CHAT, ask())
            assert (await turnout.observed()).shadow_of is None
        assert report(turnout).dropped == {"concurrency": 2}
        gate.set()
        await turnout.observed()
        await turnout.observed()
        await pair(turnout)
        account = report(turnout)
    assert (account.expected, account.sent, account.dropped) == (5.0, 3, {"concurrency": 2})


async def test_half_of_an_upstreams_connections_are_left_to_clients(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = [HANG]
    two = {"connections": 4}
    async with serving(shadowed(base.port, tuned.port, timeout=0.3, two=two)) as turnout:
        for _ in range(4):
            await turnout.post(CHAT, ask())
            assert (await turnout.observed()).shadow_of is None
            if report(turnout).sent <= 2 and not report(turnout).dropped:
                await tuned.request()
        assert report(turnout).dropped == {"upstream_busy": 2}
        tuned.will(reply("tuned"))
        forced = await turnout.post(CHAT, ask(), {"x-turnout-variant": "ft"})
        assert forced.status_code == 200
        assert {(await turnout.observed()).shadow_of is None for _ in range(3)} == {True, False}


async def test_an_upstream_that_is_ejected_gets_no_shadow_nor_a_trial_by_one(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = error_reply(500)
    two = {"eject_after": 1, "eject_seconds": 0.001, "eject_seconds_max": 0.001}
    async with serving(shadowed(base.port, tuned.port, two=two)) as turnout:
        await turnout.post(CHAT, ask(), {"x-turnout-variant": "ft"})
        await turnout.observed()
        await turnout.post(CHAT, ask())  # half-open by now, or soon
        await turnout.observed()
        assert report(turnout).dropped == {"upstream_ejected": 1}


async def test_a_worker_that_drains_begins_no_shadow(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        turnout.service.draining = True
        await turnout.post(CHAT, ask())
        await turnout.observed()
        assert report(turnout).dropped == {"draining": 1}


async def test_what_might_do_something_twice_is_not_asked_twice(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        body = {"model": "support", "input": "Hi", "conversation": "conv_1"}
        await turnout.post("/v1/responses", body)
        await turnout.observed()
        assert report(turnout).dropped == {"side_effects": 1}


async def test_at_the_end_shadows_are_cut_and_on_the_record(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    tuned.by_default = [head(headers=CHUNKED), chunk(chat_events("Hello")[1]), HANG]
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        await turnout.post(CHAT, ask(stream=True))
        await turnout.observed()
        await tuned.request()
        await turnout.service.close()
        shadow = await turnout.observed()
        await tuned.all_closed()
    assert (shadow.outcome, shadow.error_code) == (
        Outcome.PROXY_ERROR,
        ErrorCode.POLICY_SHUTTING_DOWN,
    )


async def test_a_shadow_that_is_cut_before_it_began_is_on_the_record_too(
    base: ScriptedUpstream, tuned: ScriptedUpstream
) -> None:
    async with serving(shadowed(base.port, tuned.port)) as turnout:
        begun = asyncio.Event()
        follow = turnout.service.shadows.follow

        def watched(*given: Any, **more: Any) -> None:
            follow(*given, **more)
            begun.set()

        turnout.service.shadows.follow = watched  # type: ignore[method-assign]
        asking = asyncio.ensure_future(turnout.post(CHAT, ask()))
        await begun.wait()
        await turnout.service.shadows.close()
        served, shadow = await turnout.observed(), await turnout.observed()
        assert (served.shadow_of, shadow.shadow_of) == (None, served.request_id)
        assert shadow.error_code is ErrorCode.POLICY_SHUTTING_DOWN
        assert (await asking).status_code == 200
        await turnout.post(CHAT, ask())
        assert (await turnout.observed()).shadow_of is None
        assert report(turnout).dropped == {"draining": 1}
