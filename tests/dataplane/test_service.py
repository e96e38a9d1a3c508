"""Where a path goes, and that every exchange ends in one observation."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.config.settings import DataPlane, Limits
from proxy.exchange import ErrorCode, Outcome
from proxy.routing import Route
from tests.support.data_plane import serving, settings_of, upstream, variant
from tests.support.raw_client import raw_client
from tests.support.scripted_upstream import (
    HANG,
    ScriptedUpstream,
    json_reply,
    plain_reply,
    scripted_upstream,
)

CHAT = "/v1/chat/completions"
ASK = {"model": "support", "messages": []}


@pytest.fixture
async def model() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        yield server


def settings(model: ScriptedUpstream, *, prefix: str = "/v1", **changes: Any) -> DataPlane:
    route = Route(name="support", variants=(variant("base", "one"),), weights=(1.0,))
    one = upstream("one", model.port, prefix=prefix, list_models=changes.pop("list_models", False))
    return settings_of(route, upstreams=[one], **changes)


async def test_probes_answer_and_are_no_exchanges(model: ScriptedUpstream) -> None:
    async with serving(settings(model)) as turnout:
        assert (await turnout.client.get("/healthz")).status_code == 200
        assert (await turnout.client.get("/readyz")).status_code == 200
        turnout.service.draining = True
        assert (await turnout.client.get("/readyz")).status_code == 503
        assert (await turnout.client.get("/healthz")).status_code == 200
        assert turnout.counts.begun == 0


async def test_one_that_is_full_lives_and_is_not_ready(model: ScriptedUpstream) -> None:
    full = settings(model, limits=Limits(connections=1))
    async with serving(full) as turnout, raw_client(turnout.port):
        alive, ready = [await probed(turnout.port, path) for path in ("/healthz", "/readyz")]
        assert (await turnout.observed()).error_code is ErrorCode.POLICY_OVERLOADED
    assert alive.startswith(b"HTTP/1.1 200 OK\r\n")
    assert ready.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"policy_overloaded" in ready


async def probed(port: int, path: str) -> bytes:
    async with raw_client(port) as client:
        client.get(path)
        return await client.rest()


async def test_a_path_outside_the_api_is_404_with_the_usual_mistake_named(
    model: ScriptedUpstream,
) -> None:
    async with serving(settings(model)) as turnout:
        reply = await turnout.client.post("/chat/completions", json=ASK)
        await turnout.observed()
    assert reply.status_code == 404
    assert "/v1/chat/completions" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "hint"),
    [("/models", "/v1/models"), ("/metrics", "administration"), ("/x", "base_url ends in /v1.")],
)
async def test_other_paths_outside_the_api_are_told_where_to_go(
    model: ScriptedUpstream, path: str, hint: str
) -> None:
    async with serving(settings(model)) as turnout:
        reply = await turnout.client.get(path)
        await turnout.observed()
    assert hint in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/files?limit=2&after=f%2F1", b""),
        ("POST", "/v1/audio/transcriptions", b"--x\r\n\x00\xff binary\r\n--x--"),
        ("PUT", "/v1/uploads/u1", b"x" * 300_000),
        ("DELETE", "/v1/files/file-1", b""),
        ("POST", "/v1/batches", b"{not json"),
        ("GET", "/v1/chat/completions", b""),
    ],
)
async def test_any_other_path_passes_through_untouched(
    model: ScriptedUpstream, method: str, path: str, body: bytes
) -> None:
    model.by_default = plain_reply(b"\x00binary\xff", headers=[("Content-Type", "audio/mpeg")])
    passing = settings(model, default_upstream="one", prefix="/openai/v1")
    async with serving(passing) as turnout:
        headers = {"content-type": "multipart/form-data; boundary=x"}
        reply = await turnout.client.request(method, path, content=body, headers=headers)
        seen = await turnout.observed()
    sent = await model.request()
    assert (sent.method, sent.target, sent.body) == (method, "/openai" + path, body)
    assert sent.header("content-type") == "multipart/form-data; boundary=x"
    assert reply.content == b"\x00binary\xff"
    assert reply.headers["content-type"] == "audio/mpeg"
    assert (seen.endpoint, seen.dialect, seen.route) == ("other", "none", None)
    assert seen.outcome is Outcome.COMPLETED


async def test_an_upload_of_unknown_length_streams_through_in_chunks(
    model: ScriptedUpstream,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"y" * 10_000

    async with serving(settings(model, default_upstream="one")) as turnout:
        reply = await turnout.client.post("/v1/files", content=pieces())
        await turnout.observed()
    assert reply.status_code == 200
    sent = await model.request()
    assert (sent.header("transfer-encoding"), len(sent.body)) == ("chunked", 640_000)


async def test_an_upload_can_not_be_sent_twice_so_it_goes_on_no_kept_connection(
    model: ScriptedUpstream,
) -> None:
    async with serving(settings(model, default_upstream="one")) as turnout:
        for _ in range(2):
            await turnout.client.get("/v1/files")
            await turnout.observed()
        first, second = await model.request(), await model.request()
        await turnout.client.post("/v1/files", content=b"x")
        await turnout.observed()
        upload = await model.request()
    assert first.connection is second.connection
    assert upload.connection is not first.connection


async def test_an_upload_above_the_limit_is_413(model: ScriptedUpstream) -> None:
    limits = Limits(stream_body_bytes=1000)
    async with serving(settings(model, default_upstream="one", limits=limits)) as turnout:
        reply = await turnout.client.post("/v1/files", content=b"x" * 2000)
        assert reply.status_code == 413
        assert (await turnout.observed()).error_code is ErrorCode.CALLER_BODY_TOO_LARGE


async def test_without_a_default_upstream_other_paths_are_404(model: ScriptedUpstream) -> None:
    async with serving(settings(model)) as turnout:
        reply = await turnout.client.get("/v1/files")
        assert reply.status_code == 404
        assert (await turnout.observed()).error_code is ErrorCode.CALLER_NOT_FOUND


async def test_the_model_list_is_the_routes(model: ScriptedUpstream) -> None:
    async with serving(settings(model)) as turnout:
        listed = (await turnout.client.get("/v1/models")).json()
        await turnout.observed()
        shown = await turnout.client.get("/v1/models/support")
        await turnout.observed()
        missing = await turnout.client.get("/v1/models/nobody")
        await turnout.observed()
    assert [each["id"] for each in listed["data"]] == ["support"]
    assert shown.json()["id"] == "support"
    assert missing.status_code == 404


@pytest.mark.parametrize("path", ["team/support@2", "team%2Fsupport%402"])
async def test_a_route_is_found_by_its_name_however_the_client_writes_it(
    model: ScriptedUpstream, path: str
) -> None:
    name = "team/support@2"
    route = Route(name=name, variants=(variant("base", "one"),), weights=(1.0,))
    async with serving(settings_of(route, upstreams=[upstream("one", model.port)])) as turnout:
        shown = await turnout.client.get(f"/v1/models/{path}")
        await turnout.observed()
    assert shown.json()["id"] == name


async def test_an_upstreams_models_are_listed_behind_the_routes_where_configured(
    model: ScriptedUpstream,
) -> None:
    model.by_default = json_reply({"data": [{"id": "gpt-x"}, {"id": "support"}]})
    async with serving(settings(model, list_models=True)) as turnout:
        listed = (await turnout.client.get("/v1/models")).json()
        await turnout.observed()
    assert [each["id"] for each in listed["data"]] == ["support", "gpt-x"]


async def test_a_body_sent_along_with_the_question_for_models_stays_here(
    model: ScriptedUpstream,
) -> None:
    model.by_default = json_reply({"data": [{"id": "gpt-x"}]})
    async with serving(settings(model, list_models=True)) as turnout:
        listed = await turnout.client.request("GET", "/v1/models", content=b"{}")
        await turnout.observed()
    assert [each["id"] for each in listed.json()["data"]] == ["support", "gpt-x"]
    assert (await model.request()).body == b""


async def test_the_time_an_upstream_takes_for_its_models_is_not_ours(
    model: ScriptedUpstream,
) -> None:
    late = asyncio.Event()
    model.by_default = [late, *json_reply({"data": []})]
    async with serving(settings(model, list_models=True)) as turnout:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(turnout.client.get("/v1/models"))
            await model.request()
            asyncio.get_running_loop().call_later(0.2, late.set)
        seen = await turnout.observed()
    assert seen.latency_ms - seen.overhead_ms >= 199


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({}, 500),
        plain_reply(b"no json"),
        plain_reply(b'{"data":[{"id":"\xff"}]}'),
        plain_reply(b'{"data":[{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}"),
    ],
)
async def test_an_upstream_that_has_no_list_is_left_out(
    model: ScriptedUpstream, reply: list[bytes]
) -> None:
    model.by_default = reply
    async with serving(settings(model, list_models=True)) as turnout:
        listed = (await turnout.client.get("/v1/models")).json()
        await turnout.observed()
    assert [each["id"] for each in listed["data"]] == ["support"]


async def test_what_never_became_a_request_is_on_the_record_too(model: ScriptedUpstream) -> None:
    async with serving(settings(model)) as turnout:
        reader, writer = await turnout.connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        seen = await turnout.observed()
        assert (seen.outcome, seen.error_code) == (Outcome.REJECTED, ErrorCode.CALLER_BAD_HTTP)
        assert turnout.counts.begun == 1


async def test_an_exchange_ends_on_the_plane_it_began_with(model: ScriptedUpstream) -> None:
    model.by_default = [HANG]
    before = settings(model)
    async with serving(before) as turnout:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(turnout.post(CHAT, ASK))
            first = await model.request()
            moved = settings_of(
                Route(name="support", variants=(variant("ft", "one"),), weights=(1.0,)),
                upstreams=list(before.upstreams.values()),
            )
            turnout.service.adopt(moved)
            model.by_default = json_reply({"choices": []})
            after = await turnout.post(CHAT, ASK)
            first.connection.close()
            await asking
        assert after.headers["x-turnout-variant"] == "ft"
        assert (await turnout.observed()).variant_served == "ft"
        assert (await turnout.observed()).variant_assigned == "base"


async def test_settings_that_did_not_change_keep_the_connections(model: ScriptedUpstream) -> None:
    async with serving(settings(model)) as turnout:
        await turnout.post(CHAT, ASK)
        await turnout.observed()
        turnout.service.adopt(settings(model))
        await turnout.post(CHAT, ASK)
        await turnout.observed()
    assert len(model.connections) == 1


async def test_what_is_cut_by_the_shutdown_is_not_blamed_on_the_client(
    model: ScriptedUpstream,
) -> None:
    model.by_default = [HANG]
    async with serving(settings(model)) as turnout:
        _, writer = await turnout.connect()
        writer.write(b"POST %s HTTP/1.1\r\nHost: t\r\n" % CHAT.encode())
        body = b'{"model":"support"}'
        writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        await model.request()
        turnout.service.cutting = True
        await turnout.edge.close()
        seen = await turnout.observed()
        writer.close()
    assert (seen.outcome, seen.error_code) == (
        Outcome.PROXY_ERROR,
        ErrorCode.POLICY_SHUTTING_DOWN,
    )
