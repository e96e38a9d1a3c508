"""A whole turnout's request store: what was served is on record, though control was killed."""

import os
import signal
from pathlib import Path
from typing import Any

import httpx2

from tests.support.patience import eventually
from tests.support.scripted_upstream import json_reply, scripted_upstream
from tests.support.served import Served, served

CONFIG = """\
upstreams:
  u: {{base_url: 'http://127.0.0.1:{port}/v1'}}
routes:
  support:
    variants: {{base: {{upstream: u, model: m}}}}
alerts: {{short: {{reply_chars: 100}}}}
"""


async def ask(turnout: Served, count: int = 1) -> list[str]:
    """Send requests and return their ids."""
    url = f"http://127.0.0.1:{turnout.port}/v1/chat/completions"
    async with httpx2.AsyncClient(trust_env=False) as client:
        answers = [
            await client.post(url, json={"model": "support", "messages": []}) for _ in range(count)
        ]
    return [answer.headers["x-turnout-request-id"] for answer in answers]


async def on_record(turnout: Served, query: str = "") -> list[Any]:
    """Return what is on record, the newest first."""
    try:
        answer = await turnout.admin(f"/api/v1/exchanges?limit=500{query}")
    except httpx2.TransportError as error:
        raise ConnectionError from error
    found: list[Any] = answer.json()["exchanges"]
    return found


async def test_what_was_served_is_on_record_also_what_was_served_while_control_was_killed(
    tmp_path: Path,
) -> None:
    reply = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop", "index": 0}]}
    async with scripted_upstream() as upstream:
        upstream.by_default = json_reply(reply)
        async with served(tmp_path, CONFIG.format(port=upstream.port)) as turnout:
            sent = await ask(turnout, 3)
            await eventually(lambda: on_record(turnout), lambda found: len(found) == 3)
            os.kill(turnout.children("control")[0], signal.SIGKILL)
            sent += await ask(turnout, 3)
            found = await eventually(lambda: on_record(turnout), lambda found: len(found) == 6)
            assert [each["request_id"] for each in reversed(found)] == sent
            assert {each["variant_served"] for each in found} == {"base"}
            short = await on_record(turnout, "&alert=short&route=support")
            assert len(short) == 6, "the rule that was broken is on record"
            story = (await turnout.admin(f"/api/v1/exchanges/{sent[0]}")).json()
            assert story["decided_by"]["number"] == 1
            metrics = await turnout.metrics()
            assert metrics.total("turnout_store_written_total") == 3  # by this control
            assert metrics.total("turnout_store_dropped_total") == 0
            assert metrics.total("turnout_store_up") == 1


async def test_with_the_store_off_nothing_is_on_record(tmp_path: Path) -> None:
    async with scripted_upstream() as upstream:
        upstream.by_default = json_reply({})
        config = CONFIG.format(port=upstream.port) + "store: off\n"
        async with served(tmp_path, config) as turnout:
            await ask(turnout)
            await turnout.exchanges(1)
            assert (await turnout.admin("/api/v1/exchanges")).status_code == 409
            assert "\nturnout_store" not in (await turnout.admin("/metrics")).text
