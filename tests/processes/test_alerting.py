"""An alert over a window, end to end: it fires at a webhook, is hushed, ends, survives a stop."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from proxy.cli import main
from tests.support.patience import eventually, pace
from tests.support.raw_traffic import ask, chat
from tests.support.scripted_upstream import (
    HANG,
    ScriptedUpstream,
    chat_events,
    error_reply,
    json_reply,
    plain_reply,
    scripted_upstream,
    stream_reply,
)
from tests.support.served import Line, Served, served

CONFIG = """\
upstreams: {{u: {{base_url: 'http://127.0.0.1:{port}/v1', retries: 0, eject_after: 0}}}}
routes:
  support: {{variants: {{base: {{upstream: u, model: m}}}}}}
alerts:
  short: off
  error_rate: {{percent: 20, window_seconds: 1.5, for_seconds: 0, min_requests: 5}}
  notify: {{webhook: {{url: 'http://127.0.0.1:{hook}/hook'}}}}
"""
REPLY = json_reply(
    {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"content": "Yes."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    }
)
FIRING = "turnout_alerts_firing"
LONGER = 2.6  # seconds: than the window, and until the next look


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        yield server


@pytest.fixture
async def hook() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = plain_reply(b"", 204)
        yield server


async def run(turnout: Served, *words: str) -> Result:
    """Run a command of another shell."""
    token = (turnout.data / "admin.token").read_text().strip()
    url = f"http://127.0.0.1:{turnout.admin_port}"
    environ = {"TURNOUT_ADMIN_URL": url, "TURNOUT_ADMIN_TOKEN": token}
    return await asyncio.to_thread(
        lambda: CliRunner().invoke(main, words, env=environ, prog_name="turnout")
    )


async def asked_until(turnout: Served, event: str, count: int) -> list[Line]:
    """Ask again and again until the log has an event so often; return its lines."""

    async def logged() -> list[Line]:
        await ask(turnout.port)
        return turnout.lines(event)

    return await eventually(logged, lambda seen: len(seen) >= count, step=0.05)


async def posted(hook: ScriptedUpstream) -> Any:
    """Return the next post on errors."""
    while True:
        post = (await hook.request()).json()
        if post["alert"] == "error_rate":
            return post


async def drained(turnout: Served, upstream: ScriptedUpstream) -> None:
    """End it with a stream that goes on for longer than the window."""
    upstream.will([*stream_reply(*chat_events("It"))[:2], HANG])
    reader, writer = await asyncio.open_connection("127.0.0.1", turnout.port)
    writer.write(chat("support", stream=True))
    await reader.readuntil(b"data")
    ending = asyncio.create_task(turnout.end())
    await pace(LONGER)
    writer.transport.abort()
    await ending


async def test_errors_fire_are_told_silenced_told_after_it_and_are_over(
    tmp_path: Path, upstream: ScriptedUpstream, hook: ScriptedUpstream
) -> None:
    upstream.by_default = error_reply(500)
    async with served(tmp_path, CONFIG.format(port=upstream.port, hook=hook.port)) as turnout:
        (line,) = await asked_until(turnout, "alert firing", 1)
        first = await posted(hook)
        shown = await run(turnout, "alerts", "--json")
        assert (await turnout.metrics()).by(FIRING, "alert", "route", "variant", "silenced") == {
            ("error_rate", "support", "base", "false"): 1
        }
        upstream.by_default = REPLY
        (resolved,) = await asked_until(turnout, "alert resolved", 1)
        second = await posted(hook)
        assert (await turnout.metrics()).by(FIRING, "alert") == {}

        made = await run(
            turnout, "silence", "add", "--route", "support", "--for", "1h", "--why", "a test"
        )
        upstream.by_default = error_reply(500)
        hushed = (await asked_until(turnout, "alert firing", 2))[-1]
        assert (await turnout.metrics()).by(FIRING, "silenced") == {("true",): 1}
        quiet = await run(turnout, "alerts")
        ended = await run(turnout, "silence", "end", "1", "--json")
        third = await posted(hook)
        counted = (await turnout.metrics()).total("turnout_alerts_total", alert="error_rate")
        kept = await run(turnout, "audit", "--json")
        await drained(turnout, upstream)

    assert (line["route"], line["variant"], line["silenced"]) == ("support", "base", False)
    assert line["value"] > line["threshold"] == 20
    assert line["count"] >= 5
    assert set(line["request_ids"]) <= {each["request_id"] for each in turnout.lines("exchange")}
    assert (first["state"], first["text"]) == ("firing", line["sentence"])
    assert first["runbook"] == "docs/runbooks/error_rate.md"
    assert first["request_ids"] == line["request_ids"] != []
    (told,) = json.loads(shown.stdout)["alerts"]
    assert (shown.exit_code, told["state"], told["runbook"]) == (1, "firing", first["runbook"])
    assert (second["state"], second["key"]) == ("resolved", first["key"])
    assert resolved["seconds"] > 0

    assert (made.exit_code, quiet.exit_code, ended.exit_code) == (0, 0, 0), made.output
    assert (hushed["silenced"], counted) == (True, 2)
    assert third["state"] == "firing", "nothing was told while the silence lasted"
    assert third["first_at"] > second["ends_at"]
    actions = [entry["action"] for entry in json.loads(kept.stdout)["entries"]]
    assert actions[:2] == ["end_silence", "add_silence"]
    assert len(turnout.lines("alert resolved")) == 1, "that nothing comes is no news of a drain"

    # While turnout is down, the rule goes: whoever was told hears of the end all the same.
    unwatched = CONFIG.replace("error_rate: {{percent", "error_rate: off  # {{percent")
    async with served(tmp_path, unwatched.format(port=upstream.port, hook=hook.port)):
        last = await posted(hook)
    assert (last["state"], last["first_at"]) == ("resolved", third["first_at"])
