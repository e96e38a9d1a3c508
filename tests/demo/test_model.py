"""The simulated model speaks OpenAI's chat form, and the traffic sees what it got."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import openai
import pytest

from proxy.demo.character import Character, Every
from proxy.demo.model import ModelServer
from proxy.demo.traffic import Traffic
from tests.support.patience import until

NEVER = Every(10**9, 1)
QUICK = Character(
    name="quick",
    first_token=0.0,
    per_token=0.0,
    sentences=1,
    slow=NEVER,
    short=Every(2, 2),
    failing=Every(3, 3),
)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    server = ModelServer(QUICK, Random(1))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run_until_told())
        yield server
        server.should_exit = True


async def test_the_openai_client_is_answered_whole_streamed_and_with_an_error(
    model: ModelServer,
) -> None:
    async with openai.AsyncOpenAI(
        base_url=model.base_url, api_key="none", max_retries=0
    ) as client:
        plain = await client.chat.completions.create(
            model="quick", messages=[{"role": "user", "content": "Where is it?"}]
        )
        stream = await client.chat.completions.create(
            model="quick",
            messages=[{"role": "user", "content": "Where is it?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="quick", messages=[])
        listed = [listed.id async for listed in client.models.list()]
    assert plain.usage is not None
    assert plain.usage.completion_tokens == len((plain.choices[0].message.content or "").split())
    assert chunks[1].choices[0].delta.content == "Yes."
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 1
    assert listed == ["quick"]


async def test_traffic_counts_every_answer_and_finishes_when_told(model: ModelServer) -> None:
    traffic = Traffic(model.base_url.removesuffix("/v1"), "support", 500.0, Random(2))
    async with asyncio.TaskGroup() as group:
        group.create_task(traffic.run())
        await until(lambda: traffic.statuses.total() >= 30)
        traffic.finish()
    assert traffic.statuses.total() == traffic.sent
    assert traffic.statuses[500] == traffic.sent // 3
    assert not traffic.broken


async def test_traffic_notes_what_breaks(unused_tcp_port: int) -> None:
    traffic = Traffic(f"http://127.0.0.1:{unused_tcp_port}", "support", 500.0, Random(2))
    async with asyncio.TaskGroup() as group:
        group.create_task(traffic.run())
        await until(lambda: bool(traffic.broken))
        traffic.finish()
    assert traffic.broken["ConnectError"] == traffic.sent
