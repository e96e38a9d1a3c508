"""turnout behind nginx and Caddy, as deploy/ says to set them up."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from proxy.config.settings import Deadlines, Limits, Timeouts
from tests.deploy.fronts import front
from tests.frame.source import document
from tests.support.certificates import make_certificates
from tests.support.scripted_upstream import (
    HANG,
    ScriptedUpstream,
    SeenRequest,
    chat_events,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import Served, served

PATIENCE = 10.0
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
FILE = """
upstreams: {u: {base_url: 'http://127.0.0.1:%d/v1'}}
default_upstream: u
pass_unknown_models: true
"""


class Behind:
    """A turnout behind each of the reverse proxies, its upstream, and a client for each."""

    def __init__(self, upstream: ScriptedUpstream, turnout: Served, urls: dict[str, str]) -> None:
        self.upstream = upstream
        self.turnout = turnout
        context = ssl.create_default_context(cafile=str(turnout.log.with_name("ca.pem")))
        self.http = httpx2.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE)
        self.urls = urls
        self.clients = {
            name: AsyncOpenAI(
                base_url=f"{url}/v1", api_key="none", max_retries=0, http_client=self.http
            )
            for name, url in urls.items()
        }


@asynccontextmanager
async def behind(folder: Path) -> AsyncIterator[Behind]:
    """Run all of them."""
    certificates = make_certificates(folder)
    async with (
        scripted_upstream() as upstream,
        served(folder, FILE % upstream.port) as turnout,
        front("nginx", folder, turnout.port, certificates) as nginx,
        front("caddy", folder, turnout.port, certificates) as caddy,
    ):
        there = Behind(upstream, turnout, {"nginx": nginx, "caddy": caddy})
        async with there.http, asyncio.timeout(3 * PATIENCE):
            yield there


async def test_each_piece_of_a_stream_arrives_before_the_next_is_sent(tmp_path: Path) -> None:
    async with behind(tmp_path) as there:
        for name, client in there.clients.items():
            head, *pieces = stream_reply(*chat_events("One", " two", " three"))
            read = [asyncio.Event() for _ in pieces]
            script = [step for pair in zip(pieces, read, strict=True) for step in pair]
            there.upstream.will([head, *script])
            stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
            words: list[str | None] = []
            async for chunk in stream:
                read[len(words)].set()
                words.append(chunk.choices[0].delta.content)
                if chunk.choices[0].finish_reason:  # the client tells of nothing that follows
                    for event in read:
                        event.set()
            assert "".join(word or "" for word in words) == "One two three", name


async def test_a_client_that_leaves_stops_its_model(tmp_path: Path) -> None:
    async with behind(tmp_path) as there:
        for name, client in there.clients.items():
            there.upstream.will([*stream_reply(*chat_events("One", " two"))[:3], HANG], [HANG])
            stream = await client.chat.completions.create(model="m", messages=HELLO, stream=True)
            await anext(stream)
            await stream.close()
            await gone(await there.upstream.request(), f"{name}: in the middle of a stream")

            asking = client.chat.completions.create(model="m", messages=HELLO)
            task = asyncio.create_task(asking)
            request = await there.upstream.request()
            task.cancel()
            await gone(request, f"{name}: before the first byte")
        lines = await there.turnout.exchanges(4)
        assert {line["outcome"] for line in lines} == {"client_gone"}


async def gone(request: SeenRequest, when: str) -> None:
    """Wait until the upstream sees that it is not wanted any more."""
    try:
        async with asyncio.timeout(PATIENCE):
            await request.connection.closed.wait()
    except TimeoutError:
        raise AssertionError(f"the model works on, {when}") from None


async def test_a_large_request_passes_and_probes_are_not_for_the_world(tmp_path: Path) -> None:
    async with behind(tmp_path) as there:
        long: ChatCompletionMessageParam = {"role": "user", "content": "x" * 1_500_000}
        for name, client in there.clients.items():
            await client.chat.completions.create(model="m", messages=[long])
            assert len((await there.upstream.request()).body) > 1_500_000, name
            for path in ("/readyz", "/healthz"):
                assert (await there.http.get(there.urls[name] + path)).status_code == 404, name
                assert await there.turnout.get(path) == 200


def seconds(example: str, name: str) -> float:
    """Return the seconds that an example of deploy/ has under a name."""
    found = re.search(rf"^\s*{name} (\d+)s", document(f"deploy/{example}"), re.MULTILINE)
    assert found, name
    return float(found[1])


def test_the_limits_in_front_leave_the_answer_to_turnout() -> None:
    assert seconds("nginx.conf", "keepalive_timeout") < Deadlines().idle
    assert seconds("Caddyfile", "keepalive") < Deadlines().idle
    assert seconds("nginx.conf", "proxy_read_timeout") > Timeouts().total
    assert "client_max_body_size 1g;" in document("deploy/nginx.conf")
    assert Limits().stream_body_bytes == 1024**3
