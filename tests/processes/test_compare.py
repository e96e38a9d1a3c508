"""A whole turnout whose fine-tune is worse by design: `compare` says so, of the split's part."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT, create_subprocess_exec
from pathlib import Path
from typing import Any

import httpx2

from tests.support.patience import eventually
from tests.support.scripted_upstream import error_reply, json_reply, scripted_upstream
from tests.support.served import Served, served

CONFIG = """\
upstreams:
  good: {{base_url: 'http://127.0.0.1:{good}/v1'}}
  bad: {{base_url: 'http://127.0.0.1:{bad}/v1', retries: 0, eject_after: 0}}
routes:
  support:
    variants:
      base: {{upstream: good, model: m}}
      ft: {{upstream: bad, model: m}}
    split: {{base: 50, ft: 50}}
    pins: {{vip: ft}}
"""
REPLY = {
    "choices": [
        {"message": {"content": "It left this morning."}, "finish_reason": "stop", "index": 0}
    ],
    "usage": {"prompt_tokens": 12, "completion_tokens": 5},
}
USERS = 60


async def ask(turnout: Served) -> None:
    """Send two requests for each user, three of the pinned one, and four forced ones."""
    url = f"http://127.0.0.1:{turnout.port}/v1/chat/completions"
    users = [f"user-{number % USERS}" for number in range(2 * USERS)] + ["vip"] * 3
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        for user in users:
            await client.post(url, json={"model": "support", "messages": [], "user": user})
        for _ in range(4):
            forced = {"x-turnout-variant": "ft"}
            said = {"model": "support", "messages": [], "user": "user-1"}
            await client.post(url, json=said, headers=forced)


async def compared(turnout: Served) -> dict[str, Any]:
    answer = await turnout.admin("/api/v1/routes/support/compare")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def on_record(found: dict[str, Any]) -> int:
    sides = [found["baseline"], *(each["side"] for each in found["candidates"])]
    return sum(side["requests"] + sum(side["left_out"].values()) for side in sides)


async def test_a_worse_fine_tune_is_shown_to_be_worse_by_what_the_split_gave_out(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as good, scripted_upstream() as bad:
        good.by_default, bad.by_default = json_reply(REPLY), error_reply(500)
        config = CONFIG.format(good=good.port, bad=bad.port)
        async with served(tmp_path, config) as turnout:
            await ask(turnout)
            total = 2 * USERS + 7
            found = await eventually(
                lambda: compared(turnout), lambda found: on_record(found) == total
            )
            (against,) = found["candidates"]
            rows = {row["metric"]: row for row in against["rows"]}
            assert rows["error_rate"]["finding"] == "worse"
            assert rows["error_rate"]["low"] > 0.5
            assert rows["prompt_tokens"]["reason"] == "ft has none"
            assert found["baseline"]["units"] + against["side"]["units"] == USERS
            assert found["baseline"]["requests"] + against["side"]["requests"] == 2 * USERS
            assert against["side"]["left_out"] == {"pinned": 3, "forced": 4}
            said = await typed(turnout, tmp_path / "report.html")
            errors = next(line for line in said.splitlines() if "errors" in line)
            assert "\x1b[1;31m" in errors
            assert 'class="worse"' in (tmp_path / "report.html").read_text(encoding="utf-8")


async def typed(turnout: Served, file: Path) -> str:
    """Return what the command prints at a terminal with colours."""
    words = ["compare", "support", "--html", str(file)]
    environ = os.environ | {
        "TURNOUT_ADMIN_URL": f"http://127.0.0.1:{turnout.admin_port}",
        "TURNOUT_ADMIN_TOKEN": (turnout.data / "admin.token").read_text().strip(),
        "FORCE_COLOR": "1",
        "TERM": "xterm",
        "COLUMNS": "200",
    }
    process = await create_subprocess_exec(
        sys.executable, "-m", "proxy", *words, env=environ, stdout=PIPE, stderr=STDOUT
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert process.returncode == 0, said
    return said.decode()
