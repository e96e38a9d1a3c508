"""A whole turnout with a shadow: clients notice nothing, whoever operates it does."""

import asyncio
import signal
from pathlib import Path

from tests.support.patience import eventually
from tests.support.raw_traffic import chat, pipeline
from tests.support.scripted_upstream import HANG, chat_events, scripted_upstream, stream_reply
from tests.support.served import Line, Samples, served

CONFIG = """\
workers: 2
upstreams:
  plain: {{base_url: 'http://127.0.0.1:{plain}/v1'}}
  tuned: {{base_url: 'http://127.0.0.1:{tuned}/v1'}}
routes:
  support:
    variants: {{base: {{upstream: plain, model: m}}, ft-v2: {{upstream: tuned, model: m}}}}
    shadow: {{variant: ft-v2, percent: 100, timeout_seconds: 30, concurrency: 8}}
    alerts: {{slow: off, short: {{reply_chars: 100}}}}
"""
REQUESTS = 20
CHAT = chat(stream=True)
ROUTE = {"route": "support", "variant": "ft-v2"}


def sent_and_dropped(seen: Samples) -> float:
    """Return how many shadows were due, as the fleet has told by now."""
    sent = seen.total("turnout_shadow_sent_total", **ROUTE)
    return sent + seen.total("turnout_shadow_dropped_total", **ROUTE)


async def test_every_shadow_is_one_line_and_one_count_and_keeps_nobody_waiting(
    tmp_path: Path,
) -> None:
    async with scripted_upstream() as plain, scripted_upstream() as tuned:
        plain.by_default = stream_reply(*chat_events("It", " left.", usage=True))
        tuned.by_default = stream_reply(*chat_events("It", " left", " us.", usage=True))
        config = CONFIG.format(plain=plain.port, tuned=tuned.port)
        async with served(tmp_path, config) as turnout:
            for _ in range(REQUESTS):
                assert await pipeline(turnout.port, [CHAT]) == [200]
                await tuned.request()  # one after the other: none is above the budget
            lines = await turnout.exchanges(2 * REQUESTS)
            accounts = await turnout.accounted(taken=2 * REQUESTS)
            metrics = await eventually(
                turnout.metrics, lambda seen: sent_and_dropped(seen) == REQUESTS
            )
            alerts = turnout.lines("alert")
            check(lines, metrics)
            assert accounts["begun"] == accounts["taken"] == 2 * REQUESTS
            assert {line["request_id"] for line in alerts} == clients(lines)

            tuned.by_default = [HANG]
            for _ in range(REQUESTS):
                assert await pipeline(turnout.port, [CHAT]) == [200]
            metrics = await eventually(
                turnout.metrics, lambda seen: sent_and_dropped(seen) == 2 * REQUESTS
            )
            hanging = int(metrics.total("turnout_shadow_sent_total", **ROUTE)) - REQUESTS
            assert 4 <= hanging <= 8  # each worker has half of the budget
            assert metrics.total("turnout_shadow_dropped_total", reason="concurrency")
            async with asyncio.timeout(5):  # a drain waits for no shadow
                assert await turnout.end(signal.SIGTERM) == 0
            lines = turnout.lines("exchange")
    assert len(lines) == 3 * REQUESTS + hanging
    cut = [line for line in lines if line["error_code"] == "policy_shutting_down"]
    assert len([line for line in cut if line["shadow_of"] in clients(lines)]) == hanging


def clients(lines: list[Line]) -> set[str]:
    """Return the requests that clients made."""
    return {line["request_id"] for line in lines if line["shadow_of"] is None}


def check(lines: list[Line], metrics: Samples) -> None:
    """See that log and metrics say the same of clients' exchanges and of shadows."""
    shadows = [line for line in lines if line["shadow_of"] is not None]
    assert (len(clients(lines)), len(shadows)) == (REQUESTS, REQUESTS)
    assert {line["shadow_of"] for line in shadows} == clients(lines)
    assert {line["variant_served"] for line in shadows} == {"ft-v2"}
    assert {(line["outcome"], line["response_tokens"]) for line in shadows} == {("completed", 3)}
    assert metrics.by("turnout_requests_total", "variant") == {("base",): REQUESTS}
    assert metrics.by("turnout_shadow_requests_total", "outcome") == {("completed",): REQUESTS}
    assert metrics.total("turnout_shadow_expected_total", **ROUTE) == REQUESTS
    assert metrics.total("turnout_shadow_dropped_total") == 0
    assert metrics.total("turnout_shadow_tokens_total", **ROUTE, type="output") == 3 * REQUESTS
