"""`helm upgrade` and `helm rollback` of the routing: pods stay, streams run on, requests follow.

What the kubelet does with a ConfigMap is done here; how long it lets a pod wait for that is its
own matter. How soon turnout follows is said on stderr (pytest -s).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.helm.chart import Helm, Rendered, render
from tests.helm.mounted import Mount, running
from tests.support.load import load
from tests.support.patience import eventually
from tests.support.process import say
from tests.support.raw_client import RawClient, raw_client
from tests.support.scripted_upstream import (
    ScriptedUpstream,
    SeenRequest,
    Steps,
    chat_events,
    json_reply,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import Served

FILE = """\
upstreams: {{vllm: {{base_url: "http://127.0.0.1:{port}/v1"}}}}
routes:
  support:
    variants:
      # The baseline comes first, and the alphabet says otherwise.
      base: {{upstream: vllm, model: base}}
      a-fine-tune: {{upstream: vllm, model: a-fine-tune}}
    split: {{base: {base}, a-fine-tune: {candidate}}}
    sticky: request
drain_seconds: 5
drain_grace_seconds: 0
"""
STREAMS = 5
SECONDS = 5.0  # in which turnout follows; the rest of the delay is the kubelet's


class Models:
    """An upstream that names the model it was asked for; streams stop midway until told."""

    def __init__(self, server: ScriptedUpstream) -> None:
        self.go_on = asyncio.Event()
        server.by_default = self._script

    def _script(self, request: SeenRequest) -> Steps:
        model = request.json()["model"]
        if not request.json().get("stream"):
            return json_reply({"object": "chat.completion", "model": model, "choices": []})
        first, second, *rest = stream_reply(*chat_events(model, " through"))
        return [first, second, self.go_on, *rest]


def ask(**more: object) -> bytes:
    body = json.dumps({"model": "support", "messages": [], **more}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: turnout\r\nContent-Length: {len(body)}\r\n"
    )
    return f"{head}Content-Type: application/json\r\n\r\n".encode() + body


@asynccontextmanager
async def stream(turnout: Served) -> AsyncIterator[RawClient]:
    """Open a stream, and read until its first words."""
    async with raw_client(turnout.port) as client:
        client.send(ask(stream=True))
        await client.until(b"data: ")
        yield client


async def in_force(turnout: Served, model: str) -> float:
    """Return after how many seconds requests go to a model."""
    clock = asyncio.get_running_loop().time
    began = clock()

    async def served_by() -> bytes:
        async with raw_client(turnout.port) as client:
            client.send(ask())
            return await client.until(b"}")

    await eventually(served_by, lambda seen: f'"{model}"'.encode() in seen, seconds=SECONDS)
    return clock() - began


def upgraded(helm: Helm, port: int, base: int, candidate: int) -> Rendered:
    return render(helm, config=FILE.format(port=port, base=base, candidate=candidate))


async def ended(client: RawClient) -> bool:
    """Read a stream to its end; whether that is its proper one."""
    return b"data: [DONE]" in await client.until(b"0\r\n\r\n")


async def test_an_upgrade_of_the_routing_and_its_rollback_cut_nothing_and_restart_nobody(
    helm: Helm, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(scripted_upstream())
        models = Models(server)
        first = upgraded(helm, server.port, 1, 0)
        second = upgraded(helm, server.port, 0, 1)
        assert first.pod() == second.pod()  # so no pod is replaced
        mount = Mount(tmp_path / "etc", first.config_map())
        turnout = await stack.enter_async_context(running(first, mount, tmp_path))
        under = await stack.enter_async_context(load(turnout.port, request=ask()))
        processes = turnout.children("worker") + turnout.children("control")

        await in_force(turnout, "base")
        streams = [await stack.enter_async_context(stream(turnout)) for _ in range(STREAMS)]
        mount.put(second.config_map())
        there = await in_force(turnout, "a-fine-tune")
        streams += [await stack.enter_async_context(stream(turnout)) for _ in range(STREAMS)]
        mount.put(first.config_map())
        back = await in_force(turnout, "base")

        await under.more(50)
        models.go_on.set()
        assert all([await ended(each) for each in streams])
        assert under.failures == []
        assert turnout.children("worker") + turnout.children("control") == processes
    say(f"in force {there * 1000:.0f} ms after the swap, taken back after {back * 1000:.0f} ms")
