"""Odd but lawful traffic, through the real processes, over TCP and TLS."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest

from tests.support.certificates import make_certificates
from tests.support.raw_traffic import chat, pipeline, request
from tests.support.scripted_upstream import (
    ScriptedUpstream,
    chat_events,
    head,
    json_reply,
    plain_reply,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import Served, served

CONFIG = """\
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1'}}
routes:
  support: {{variants: {{base: {{upstream: u, model: m}}}}}}
default_upstream: u
pass_unknown_models: true
"""
PATIENCE = 10.0
WORDS = "Zug 🚆 fährt um 8 Uhr\u2028 \N{RIGHT-TO-LEFT OVERRIDE}ab \0 \x1b[2J"
USAGE = {"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12}
MESSAGE = {"role": "assistant", "content": WORDS}
ANSWER = {
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
    "usage": USAGE,
}


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = json_reply(ANSWER)
        yield server


async def said(port: int, *data: bytes) -> bytes:
    """Send bytes, in as many writes, and return all that comes until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE):
            for piece in data:
                writer.write(piece)
                await writer.drain()
            return await reader.read()
    finally:
        writer.transport.abort()


async def test_odd_but_lawful_requests_are_served(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    async with served(tmp_path, CONFIG.format(port=upstream.port)) as turnout:
        checks = [
            a_thousand_pipelined(turnout),
            headers_at_the_limit(turnout, upstream),
            methods_without_a_body(turnout, upstream),
            an_absolute_target(turnout, upstream),
            clients_of_http_1_0(turnout, upstream),
            words_of_all_kinds(turnout, upstream),
            a_byte_at_a_time(turnout, upstream),
            models_that_nobody_configured(turnout, upstream),
        ]
        sent = 0
        for check in checks:
            sent += await check
        accounts = await turnout.accounted(taken=sent)
        lines = await turnout.exchanges(sent)
    assert accounts["begun"] == len(lines) == sent
    assert {line["outcome"] for line in lines} == {"completed"}


async def a_thousand_pipelined(turnout: Served) -> int:
    """In one write: each is answered, in order."""
    batch = [request(f"/v1/models/{number}", method="GET") for number in range(900)]
    batch += [chat()] * 100
    assert await pipeline(turnout.port, batch) == [200] * 1000
    return 1000


async def headers_at_the_limit(turnout: Served, upstream: ScriptedUpstream) -> int:
    """Values of 8 KiB, and bytes above ASCII, arrive as they were sent."""
    upstream.requests.clear()
    long, odd = "v" * 8192, b"x-odd: \xe9\xff \xf0\x9f\x9a\x86\r\n"
    sent = chat("support", f"x-long-1: {long}", f"x-long-2: {long}", "Connection: close")
    heard = await said(turnout.port, sent.replace(b"Host:", odd + b"Host:", 1))
    assert heard.startswith(b"HTTP/1.1 200 ")
    (seen,) = upstream.requests
    assert (seen.header("x-long-1"), seen.header("x-long-2")) == (long, long)
    assert odd in seen.head
    return 1


async def methods_without_a_body(turnout: Served, upstream: ScriptedUpstream) -> int:
    """HEAD has a length and no body; OPTIONS passes through; the connection goes on."""
    upstream.will([head(headers=[("Content-Length", "1234")])], plain_reply(b"", 204))
    first = request("/v1/files/f", method="HEAD")
    second = request("/v1/files", method="OPTIONS")
    last = request("/v1/files", None, "Connection: close", method="GET")
    heard = await said(turnout.port, first + second + last)
    replies = heard.split(b"HTTP/1.1 ")[1:]
    assert [reply[:3] for reply in replies] == [b"200", b"204", b"200"]
    assert b"\r\nContent-Length: 1234\r\n".lower() in replies[0].lower()
    assert replies[0].endswith(b"\r\n\r\n")
    assert [seen.method for seen in upstream.requests[-3:]] == ["HEAD", "OPTIONS", "GET"]
    return 3


async def an_absolute_target(turnout: Served, upstream: ScriptedUpstream) -> int:
    """As proxies' clients write it: the path counts, and no other host is called."""
    sent = request("http://169.254.169.254/v1/files?a=b", None, "Connection: close", method="GET")
    assert (await said(turnout.port, sent)).startswith(b"HTTP/1.1 200 ")
    seen = upstream.requests[-1]
    assert (seen.target, seen.header("host")) == ("/v1/files?a=b", f"127.0.0.1:{upstream.port}")
    return 1


async def clients_of_http_1_0(turnout: Served, upstream: ScriptedUpstream) -> int:
    """They get streams that end with the connection, in no chunks."""
    events = chat_events("Hello", " you", usage=True)
    upstream.will(stream_reply(*events))
    stream_options = {"include_usage": True}
    sent = chat("support", stream=True, stream_options=stream_options)
    old = sent.replace(b"HTTP/1.1", b"HTTP/1.0").replace(b"Host: turnout\r\n", b"")
    heard = await said(turnout.port, old)
    top, _, body = heard.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 200 ")
    assert b"transfer-encoding" not in top.lower()
    assert body == b"".join(events)
    kept = chat("support", "Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0")
    heard = await said(turnout.port, kept + chat("support", "Connection: close"))
    assert heard.count(b"HTTP/1.1 200 ") == 2
    return 3


async def words_of_all_kinds(turnout: Served, upstream: ScriptedUpstream) -> int:
    """Whatever the words, model names included, upstream and client get them, the log one line."""
    model = "modèle 🚂\u2029"
    upstream.requests.clear()
    heard = await said(turnout.port, chat(model, "Connection: close", prompt=WORDS, user=WORDS))
    assert json.loads(heard.partition(b"\r\n\r\n")[2]) == ANSWER
    (seen,) = upstream.requests
    assert seen.json()["model"] == model
    assert seen.json()["messages"][0]["content"] == WORDS
    lines = await turnout.exchanges((await turnout.accounted())["begun"])
    (line,) = [each for each in lines if each["model_asked"] == model]
    assert (line["prompt_preview"], line["response_preview"]) == (WORDS, WORDS)
    return 1


async def a_byte_at_a_time(turnout: Served, upstream: ScriptedUpstream) -> int:
    """However the bytes come, the request is the same."""
    sent = chat("support", "Connection: close", prompt=WORDS)
    heard = await said(turnout.port, *(sent[at : at + 1] for at in range(len(sent))))
    assert heard.startswith(b"HTTP/1.1 200 ")
    assert upstream.requests[-1].json()["messages"][0]["content"] == WORDS
    return 1


async def models_that_nobody_configured(turnout: Served, upstream: ScriptedUpstream) -> int:
    """They reach the default upstream by their own names, and no label of a metric has them."""
    upstream.requests.clear()
    names = [f"junk-{number}" for number in range(300)]
    assert await pipeline(turnout.port, [chat(name, user=name) for name in names]) == [200] * 300
    assert [seen.json()["model"] for seen in upstream.requests] == names
    await turnout.accounted()
    values = (await turnout.metrics()).values()
    models = {value for label, value in values if label == "gen_ai_request_model"}
    assert models == {"other", "m"}
    assert not [value for _, value in values if "junk" in value]
    return 300


async def test_the_openai_client_is_served_over_tls_and_strangers_are_not(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    own = make_certificates(tmp_path)
    config = CONFIG.format(port=upstream.port)
    config += f"workers: 2\ntls: {{certificate: '{own.certificate}', key: server.key}}\n"
    events = chat_events("Hello", " you", " there")
    async with served(tmp_path, config) as turnout:
        assert "https://" in "".join(turnout.said)
        plain = await said(turnout.port, chat("support", "Connection: close"))
        assert not plain.startswith(b"HTTP"), "where TLS is spoken nothing else is"
        base = f"https://localhost:{turnout.port}/v1"
        trusting = openai.DefaultAsyncHttpx2Client(
            verify=ssl.create_default_context(cafile=own.ca_file)
        )
        async with openai.AsyncOpenAI(
            base_url=base, api_key="none", max_retries=0, http_client=trusting
        ) as client:
            reply = await client.chat.completions.create(
                model="support", messages=[{"role": "user", "content": WORDS}]
            )
            assert reply.choices[0].message.content == WORDS
            upstream.will(stream_reply(*events))
            stream = await client.chat.completions.create(
                model="support", messages=[{"role": "user", "content": "Hi"}], stream=True
            )
            words = [piece.choices[0].delta.content async for piece in stream]
            assert "".join(filter(None, words)) == "Hello you there"
        async with openai.AsyncOpenAI(base_url=base, api_key="none", max_retries=0) as stranger:
            with pytest.raises(openai.APIConnectionError):
                await stranger.models.list()
        lines = await turnout.exchanges(2)
        accounts = await turnout.accounted(taken=2)
        assert await turnout.end() == 0
    assert [line["outcome"] for line in lines] == ["completed"] * 2
    assert accounts["begun"] == 2, "a handshake that failed is no exchange"
    assert not [line for line in turnout.said if "Traceback" in line]
