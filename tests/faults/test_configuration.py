"""The file while turnout runs: what changes, what is rejected whole, what a restart finds."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.patience import eventually
from tests.support.scripted_upstream import (
    ScriptedUpstream,
    SeenRequest,
    Steps,
    chat_events,
    json_reply,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import LISTENERS, Served, served

SECRET = "sk-of-a-shop"
CONFIG = """\
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1', retries: 0, api_key: 'file:secret'}}
routes:
  support:
    variants: {{one: {{upstream: u, model: one}}, two: {{upstream: u, model: two}}}}
    split: {{{variant}: 1}}
keys:
  shop: {{sha256: {digest}, requests_per_minute: {limit}}}
"""


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = echo
        yield server


def echo(request: SeenRequest) -> Steps:
    """Answer with the model that was asked for, and the key that was sent along."""
    key = request.header("authorization")
    return json_reply({"model": request.json()["model"], "key": key})


def config(upstream: ScriptedUpstream, variant: str = "one", limit: int = 100) -> str:
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    return CONFIG.format(port=upstream.port, variant=variant, digest=digest, limit=limit)


class Place:
    """A running turnout and the file that it reads."""

    def __init__(self, turnout: Served, folder: Path, client: httpx2.AsyncClient) -> None:
        self.turnout = turnout
        self.file = folder / "turnout.yaml"
        self._client = client

    def write(self, text: str) -> None:
        self.file.write_text(LISTENERS + text, encoding="utf-8")

    async def ask(self, **more: Any) -> httpx2.Response:
        url = f"http://127.0.0.1:{self.turnout.port}/v1/chat/completions"
        body = {"model": "support", "messages": [{"role": "user", "content": "hi"}], **more}
        return await self._client.post(url, json=body)

    async def model(self) -> str:
        model: str = (await self.ask()).json()["model"]
        return model

    async def read(self, result: str, count: float) -> Any:
        """Wait until so many readings came to `result`; return the status."""

        async def seen() -> float:
            metrics = await self.turnout.metrics()
            return metrics.total("turnout_config_reloads_total", result=result)

        assert await eventually(seen, lambda found: found >= count) == count
        return await self.turnout.status()


@asynccontextmanager
async def running(folder: Path, config: str, *arguments: str) -> AsyncIterator[Place]:
    client = httpx2.AsyncClient(
        trust_env=False, headers={"authorization": f"Bearer {SECRET}"}, timeout=30
    )
    async with client, served(folder, config, *arguments) as turnout:
        yield Place(turnout, folder, client)


async def test_a_file_that_changes_is_put_in_force_and_one_with_problems_is_not(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("first")
    async with running(tmp_path, config(upstream)) as here:
        assert (await here.ask()).json() == {"model": "one", "key": "Bearer first"}

        here.write(config(upstream, "two").replace("upstream: u", "upstream: w") + "limits: 1\n")
        status = await here.read("rejected", 1)
        assert len(status["reading"]["problems"]) == 3
        assert "has problems" in status["degraded"][0]
        assert len(here.turnout.lines("configuration problem")) == 3
        assert (await here.turnout.metrics()).total("turnout_config_degraded") == 1
        assert await here.model() == "one"

        here.write(config(upstream, "two") + "workers: 2\n")
        status = await here.read("published", 2)
        assert status["degraded"] == []
        assert status["reading"]["restart_needed"] == ["workers"]
        assert status["table"]["version"] == 2
        assert await here.model() == "two"

        (tmp_path / "secret").write_text("second")
        os.kill(here.turnout.pid, signal.SIGHUP)
        await here.read("unchanged", 1)
        assert (await here.ask()).json()["key"] == "Bearer second"
        assert (await here.turnout.metrics()).total("turnout_table_version") == 2


async def test_streams_end_as_they_began_and_limits_go_on_over_a_reload(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()
    head, first, *rest = stream_reply(*chat_events("well", " then"))

    def script(request: SeenRequest) -> Steps:
        if not request.json().get("stream"):
            return echo(request)
        began.set()
        return [head, first, go_on, *rest]

    upstream.by_default = script
    (tmp_path / "secret").write_text("first")
    async with running(tmp_path, config(upstream, limit=3)) as here:
        streaming = asyncio.create_task(here.ask(stream=True))
        await began.wait()
        assert await here.model() == "one"

        other = f"keys:\n  other: {{sha256: '{'0' * 64}'}}\n"
        here.write(config(upstream, "two", limit=3).replace("keys:\n", other))
        await here.read("published", 2)
        statuses = [(await here.ask()).status_code for _ in range(4)]
        assert statuses.count(200) in (1, 2)  # the second where a minute just ended
        assert statuses[0] == 200
        assert statuses[-1] == 429
        go_on.set()
        assert b" then" in (await streaming).content
        lines = await here.turnout.exchanges(6)
        assert sorted(line["table_version"] for line in lines) == [1, 1, 2, 2, 2, 2]
        (stream,) = [line for line in lines if line["stream"]]
        assert (stream["table_version"], stream["outcome"]) == (1, "completed")


async def test_the_link_of_a_mounted_config_map_is_followed_and_the_last_good_one_kept(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    bad = config(upstream, "three")
    for name, text in (("..1", ""), ("..2", config(upstream, "two")), ("..3", bad)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "turnout.yaml").write_text(LISTENERS + text)
    (tmp_path / "secret").write_text("first")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "turnout.yaml").symlink_to("..data/turnout.yaml")

    def swap(name: str) -> None:
        (tmp_path / "..new").symlink_to(name)
        (tmp_path / "..new").replace(tmp_path / "..data")

    async with running(tmp_path, config(upstream)) as here:
        swap("..2")
        assert (await here.read("published", 2))["table"]["version"] == 2
        assert await here.model() == "two"
        swap("..3")
        await here.read("rejected", 1)
        assert await here.model() == "two"
        assert await here.turnout.end() == 0

    async with running(tmp_path, bad) as here:
        assert "STARTING ON THE LAST GOOD CONFIGURATION" in "".join(here.turnout.said)
        status = await here.read("rejected", 1)
        assert (status["table"]["version"], len(status["degraded"])) == (2, 1)
        assert await here.model() == "two"

    with pytest.raises(AssertionError, match="three"):
        async with running(tmp_path, bad, "--strict"):
            pass
