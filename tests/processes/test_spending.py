"""Money, end to end: prices give costs, a budget tells when it is nearly spent, and stops."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest
from click.testing import CliRunner
from openai.types.chat import ChatCompletionUserMessageParam

from proxy.cli import main
from tests.support.patience import eventually
from tests.support.scripted_upstream import ScriptedUpstream, json_reply, scripted_upstream
from tests.support.served import Served, served

EACH = (600 * 2 + 400 * 1 + 100 * 10) / 1_000_000  # US dollars
CONFIG = """\
workers: 2
upstreams: {{u: {{base_url: 'http://127.0.0.1:{port}/v1', retries: 0}}}}
routes:
  support:
    budget: {{usd: {usd}, stop: true}}
    variants:
      base: {{upstream: u, prices: {{input: 2, cached_input: 1, output: 10}}}}
  unpriced: {{variants: {{base: {{upstream: u}}}}}}
  own: {{variants: {{base: {{upstream: u, prices: free}}}}}}
"""
HELLO: ChatCompletionUserMessageParam = {"role": "user", "content": "Hello"}
REPLY = {
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Your parcel left the depot."},
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 1000,
        "completion_tokens": 100,
        "total_tokens": 1100,
        "prompt_tokens_details": {"cached_tokens": 400},
    },
}


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = json_reply(REPLY)
        yield server


def run(turnout: Served, *words: str) -> str:
    """Return what a command of another shell prints."""
    token = (turnout.data / "admin.token").read_text().strip()
    url = f"http://127.0.0.1:{turnout.admin_port}"
    environ = {"TURNOUT_ADMIN_URL": url, "TURNOUT_ADMIN_TOKEN": token}
    result = CliRunner().invoke(main, words, env=environ, prog_name="turnout")
    assert result.exit_code == 0, result.output
    return result.stdout


async def test_costs_add_up_a_budget_alerts_and_stops_and_a_larger_one_goes_on(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    text = CONFIG.format(port=upstream.port, usd=EACH * 4.8)
    async with served(tmp_path, text) as turnout:
        door = f"http://127.0.0.1:{turnout.port}/v1"
        async with openai.AsyncOpenAI(base_url=door, api_key="k", max_retries=0) as client:
            refusals: list[openai.RateLimitError] = []

            async def ask(model: str) -> str | None:
                try:
                    await client.chat.completions.create(model=model, messages=[HELLO])
                except openai.RateLimitError as error:
                    refusals.append(error)
                    return error.code
                return None

            assert await ask("unpriced") is await ask("own") is None
            for number in range(5):
                assert await ask("support") is None
                await turnout.exchanges(number + 3)
            assert await eventually(lambda: ask("support"), bool) == "policy_budget_spent"
            assert [await ask("support") for _ in range(4)] == ["policy_budget_spent"] * 4
            assert {error.type for error in refusals} == {"insufficient_quota"}
            assert "requests are taken again from" in refusals[0].message
            asked = len(upstream.requests)
            assert await ask("own") is None

            alerts = turnout.lines("alert")
            assert [(each["alert"], each["about"][:25]) for each in alerts] == [
                ("budget", "80% of route support's 0."),
                ("budget", "100% of route support's 0"),
            ]
            costs = [each["cost_usd"] for each in turnout.lines("exchange")[:7]]
            assert costs == [None, 0.0, *[pytest.approx(EACH)] * 5]
            metrics = await turnout.metrics()
            assert metrics.total("turnout_cost_usd_total", route="support") == pytest.approx(
                5 * EACH
            )
            assert metrics.total("turnout_unpriced_requests_total") == 1
            assert metrics.total("turnout_budget_used_ratio", scope="route") > 1
            assert metrics.total("turnout_budget_stopped", scope="route") == 1

            async def on_record() -> dict[str, dict[str, float]]:
                said = json.loads(await asyncio.to_thread(run, turnout, "cost", "--json"))
                return {each["route"]: each for each in said["spending"]}

            def whole(found: dict[str, dict[str, float]]) -> bool:
                return sum(each["requests"] for each in found.values()) == 8

            kept = await eventually(on_record, whole)
            assert kept["support"]["cost_usd"] == pytest.approx(5 * EACH)
            assert kept["support"]["requests"] == 5
            assert kept["unpriced"]["unpriced"] == 1
            assert "refused until" in await asyncio.to_thread(run, turnout, "status")

            larger = (tmp_path / "turnout.yaml").read_text().replace(str(EACH * 4.8), "1")
            (tmp_path / "turnout.yaml").write_text(larger)
            await eventually(lambda: ask("support"), lambda code: code is None)
            assert len(upstream.requests) > asked
