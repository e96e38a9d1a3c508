"""A spent budget refuses what it would pay for, until its period ends, and nothing else."""

import hashlib
import time
from collections.abc import AsyncIterator

import pytest

from proxy.channel import Spent
from proxy.config.settings import ClientKey, DataPlane
from proxy.exchange import ErrorCode, Outcome
from proxy.routing import Route
from tests.support.data_plane import serving, settings_of, upstream, variant
from tests.support.scripted_upstream import ScriptedUpstream, scripted_upstream

CHAT = "/v1/chat/completions"
SECRET = "sk-canary-123"
AUTHORIZED = {"authorization": f"Bearer {SECRET}"}
LATER, EARLIER = time.time() + 3600, time.time() - 1


@pytest.fixture
async def model() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        yield server


def settings(model: ScriptedUpstream, *keys: ClientKey) -> DataPlane:
    routes = [
        Route(name=name, variants=(variant("base", "one"),), weights=(1.0,))
        for name in ("support", "sales")
    ]
    return settings_of(*routes, upstreams=[upstream("one", model.port)], keys=keys)


def ask(route: str) -> dict[str, object]:
    return {"model": route, "messages": [{"role": "user", "content": "Hi"}]}


async def test_requests_of_a_route_are_refused_and_those_of_another_are_not(
    model: ScriptedUpstream,
) -> None:
    later = time.time() + 3600
    async with serving(settings(model)) as turnout:
        turnout.service.heed(Spent(routes={"support": later}))
        refused = await turnout.post(CHAT, ask("support"))
        seen = await turnout.observed()
        served = await turnout.post(CHAT, ask("sales"))
        await turnout.observed()

    error = refused.json()["error"]
    assert refused.status_code == 429
    assert (error["type"], error["code"]) == ("insufficient_quota", "policy_budget_spent")
    ends = time.strftime("%Y-%m-%d %H:%M", time.gmtime(later))
    assert error["message"] == (
        f"The budget of 'support' is spent; requests are taken again from {ends} UTC on."
    )
    assert 3500 < int(refused.headers["retry-after"]) <= 3600
    assert refused.headers["x-should-retry"] == "false"
    assert (seen.outcome, seen.error_code) == (Outcome.REJECTED, ErrorCode.POLICY_BUDGET_SPENT)
    assert (seen.route, seen.attempts) == ("support", 0)
    assert served.status_code == 200
    assert len(model.requests) == 1


async def test_a_keys_budget_refuses_all_that_it_asks_for(model: ScriptedUpstream) -> None:
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    key = ClientKey(name="mobile", sha256=digest, slot=0, requests_per_minute=1)
    async with serving(settings(model, key)) as turnout:
        turnout.service.heed(Spent(keys={"mobile": LATER}))
        for route in ("support", "sales"):
            refused = await turnout.post(CHAT, ask(route), AUTHORIZED)
            seen = await turnout.observed()
            assert refused.status_code == 429
            assert (
                "The budget of this key ('mobile') is spent" in refused.json()["error"]["message"]
            )
            assert seen.key_name == "mobile"
            assert seen.error_code is ErrorCode.POLICY_BUDGET_SPENT


async def test_a_period_that_is_over_refuses_nothing_even_where_nobody_says_so(
    model: ScriptedUpstream,
) -> None:
    async with serving(settings(model)) as turnout:
        turnout.service.heed(Spent(routes={"support": EARLIER}))
        assert (await turnout.post(CHAT, ask("support"))).status_code == 200
        await turnout.observed()


async def test_a_budget_that_was_raised_lets_requests_through_at_once(
    model: ScriptedUpstream,
) -> None:
    async with serving(settings(model)) as turnout:
        turnout.service.heed(Spent(routes={"support": LATER}))
        assert (await turnout.post(CHAT, ask("support"))).status_code == 429
        await turnout.observed()
        turnout.service.heed(Spent())
        assert (await turnout.post(CHAT, ask("support"))).status_code == 200
        await turnout.observed()


async def test_anthropics_clients_are_refused_in_their_own_words(model: ScriptedUpstream) -> None:
    async with serving(settings(model)) as turnout:
        turnout.service.heed(Spent(routes={"support": LATER}))
        refused = await turnout.post("/v1/messages", ask("support") | {"max_tokens": 9})
        await turnout.observed()
    said = refused.json()
    assert (said["type"], said["error"]["type"]) == ("error", "rate_limit_error")
    assert said["error"]["code"] == "policy_budget_spent"
