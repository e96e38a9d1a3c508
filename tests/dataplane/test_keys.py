"""A client's key opens what it may, is counted, and is never written down or passed on."""

import hashlib
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.channel import Tally, create_memory
from proxy.config.settings import ClientKey, DataPlane
from proxy.dataplane.keys import Keyring
from proxy.errors import Refusal
from proxy.exchange import ErrorCode
from proxy.routing import Route
from tests.support.data_plane import serving, settings_of, upstream, variant
from tests.support.scripted_upstream import ScriptedUpstream, json_reply, scripted_upstream

CHAT = "/v1/chat/completions"
SECRET = "sk-canary-123"
ASK = {"model": "support", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
async def model() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        yield server


def settings(model: ScriptedUpstream, api_key: str | None = None, **key: Any) -> DataPlane:
    routes = [
        Route(name=name, variants=(variant("base", "one"),), weights=(1.0,))
        for name in ("support", "sales")
    ]
    shop = ClientKey(
        name="shop", sha256=hashlib.sha256(SECRET.encode()).hexdigest(), slot=0, **key
    )
    return settings_of(
        *routes,
        upstreams=[upstream("one", model.port, api_key=api_key)],
        keys=(shop,),
        default_upstream="one",
        pass_unknown_models=True,
    )


AUTHORIZED = {"authorization": f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer wrong"}, {"authorization": SECRET}, {"x-api-key": ""}],
)
@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/v1/files"])
async def test_without_a_known_key_nothing_is_served(
    model: ScriptedUpstream, headers: dict[str, str], path: str
) -> None:
    async with serving(settings(model)) as turnout:
        method = "POST" if path == CHAT else "GET"
        reply = await turnout.client.request(method, path, json=ASK, headers=headers)
        seen = await turnout.observed()
    assert (reply.status_code, seen.error_code) == (401, ErrorCode.CALLER_UNAUTHORIZED)
    assert reply.json()["error"]["type"] == "authentication_error"
    assert model.requests == []


@pytest.mark.parametrize("headers", [AUTHORIZED, {"x-api-key": SECRET}])
async def test_the_record_names_the_key_and_nothing_holds_it(
    model: ScriptedUpstream, headers: dict[str, str]
) -> None:
    async with serving(settings(model)) as turnout:
        reply = await turnout.post(CHAT, ASK, headers)
        seen = await turnout.observed()
    assert (reply.status_code, seen.key_name) == (200, "shop")
    assert SECRET not in repr(seen)
    assert SECRET.encode() not in (await model.request()).head


async def test_an_upstreams_own_key_takes_the_place_of_the_clients(
    model: ScriptedUpstream,
) -> None:
    async with serving(settings(model, api_key="of-the-upstream")) as turnout:
        await turnout.post(CHAT, ASK, AUTHORIZED)
        await turnout.observed()
        assert (await model.request()).header("authorization") == "Bearer of-the-upstream"
        await turnout.post("/v1/messages", ASK, AUTHORIZED)
        await turnout.observed()
        assert (await model.request()).header("x-api-key") == "of-the-upstream"
        version = {"anthropic-version": "2023-06-01"}
        await turnout.post("/v1/messages/count_tokens", ASK, {**AUTHORIZED, **version})
        await turnout.observed()
        counting = await model.request()
    assert counting.header("x-api-key") == "of-the-upstream"
    assert counting.header("authorization") is None


async def test_an_upstream_that_turns_our_own_key_away_is_at_fault_itself(
    model: ScriptedUpstream,
) -> None:
    model.by_default = json_reply({}, 401)
    async with serving(settings(model, api_key="of-the-upstream")) as turnout:
        await turnout.post(CHAT, ASK, AUTHORIZED)
        assert (await turnout.observed()).error_code is ErrorCode.PROVIDER_STATUS


async def test_a_key_bound_to_routes_reaches_no_other_and_nothing_past_them(
    model: ScriptedUpstream,
) -> None:
    async with serving(settings(model, routes=("support",))) as turnout:
        client = turnout.client
        client.headers.update(AUTHORIZED)
        assert (await turnout.post(CHAT, ASK)).status_code == 200
        await turnout.observed()
        assert (await turnout.post(CHAT, {**ASK, "model": "sales"})).status_code == 403
        assert (await turnout.observed()).error_code is ErrorCode.POLICY_ROUTE_FORBIDDEN
        assert (await turnout.post(CHAT, {**ASK, "model": "gpt-x"})).status_code == 404
        await turnout.observed()
        assert (await client.get("/v1/files")).status_code == 404
        await turnout.observed()
        listed = await client.get("/v1/models")
        assert (await turnout.observed()).key_name == "shop"
        assert [each["id"] for each in listed.json()["data"]] == ["support"]
        assert (await client.get("/v1/models/sales")).status_code == 404
        await turnout.observed()


async def test_requests_above_the_limit_are_429_with_the_time_to_wait(
    model: ScriptedUpstream,
) -> None:
    async with serving(settings(model, requests_per_minute=2)) as turnout:
        for _ in range(2):
            assert (await turnout.post(CHAT, ASK, AUTHORIZED)).status_code == 200
            await turnout.observed()
        reply = await turnout.post(CHAT, ASK, AUTHORIZED)
        seen = await turnout.observed()
    assert (reply.status_code, seen.error_code) == (429, ErrorCode.POLICY_REQUEST_LIMIT)
    assert (seen.endpoint, seen.key_name) == (CHAT, "shop")
    assert 1 <= int(reply.headers["retry-after"]) <= 120
    assert reply.json()["error"]["type"] == "rate_limit_error"
    assert len(model.requests) == 2


@pytest.mark.parametrize("now", [960.0, 985.5, 1019.9])
def test_who_waits_as_long_as_told_is_served_and_not_a_second_sooner(now: float) -> None:
    key = ClientKey(name="shop", sha256="0" * 64, slot=0, requests_per_minute=3)
    memory = create_memory(1)
    keyring = Keyring((key,), Tally(memory, 0))
    for at in (now - 0.3, now - 0.2, now - 0.1):
        keyring.admit(key, at)
    with pytest.raises(Refusal) as refused:
        keyring.admit(key, now)
    seconds = refused.value.retry_after
    assert seconds is not None
    with pytest.raises(Refusal):
        keyring.admit(key, now + seconds - 1)
    keyring.admit(key, now + seconds)
    os.close(memory)


async def test_tokens_above_the_limit_are_429(model: ScriptedUpstream) -> None:
    usage = {"prompt_tokens": 60, "completion_tokens": 40}
    model.by_default = json_reply({"choices": [], "usage": usage})
    async with serving(settings(model, tokens_per_minute=100)) as turnout:
        assert (await turnout.post(CHAT, ASK, AUTHORIZED)).status_code == 200
        await turnout.observed()
        reply = await turnout.post(CHAT, ASK, AUTHORIZED)
        assert reply.status_code == 429
        assert (await turnout.observed()).error_code is ErrorCode.POLICY_TOKEN_LIMIT


async def test_what_was_not_served_costs_no_tokens(model: ScriptedUpstream) -> None:
    model.by_default = json_reply({}, 500)
    async with serving(settings(model, tokens_per_minute=100)) as turnout:
        asked = {**ASK, "messages": [{"role": "user", "content": "word " * 100}]}
        assert (await turnout.post(CHAT, asked, AUTHORIZED)).status_code == 500
        await turnout.observed()
        assert turnout.counts.tokens(0, 0.0) == 0


async def test_without_usage_a_replys_length_is_what_it_costs(model: ScriptedUpstream) -> None:
    reply = {"choices": [{"message": {"content": "word " * 100}}]}
    model.by_default = json_reply(reply)
    async with serving(settings(model, tokens_per_minute=100)) as turnout:
        await turnout.post(CHAT, ASK, AUTHORIZED)
        await turnout.observed()
        assert turnout.counts.tokens(0, 0.0) == 125
