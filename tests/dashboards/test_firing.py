"""The rules in a real Prometheus, between a real turnout, one of whose upstreams fails, and a
real Alertmanager.

The rules are those of dashboards/prometheus, with seconds where they have minutes, hours and days.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import alertmanager, prometheus
from tests.support.patience import eventually, pace
from tests.support.prometheus import Scraper
from tests.support.raw_traffic import chat, pipeline
from tests.support.rules import RULES, recorded
from tests.support.scripted_upstream import error_reply, json_reply, scripted_upstream
from tests.support.served import Served, served

pytestmark = pytest.mark.skipif(
    None in (prometheus.program(), alertmanager.program()),
    reason="apt install prometheus prometheus-alertmanager",
)

CONFIG = """\
upstreams:
  good: {{base_url: 'http://127.0.0.1:{good}/v1'}}
  bad: {{base_url: 'http://127.0.0.1:{bad}/v1', retries: 0}}
routes:
  calm: {{variants: {{base: {{upstream: good, model: m}}}}}}
  support: {{variants: {{ft: {{upstream: bad, model: m}}}}}}
"""
MESSAGE = {"role": "assistant", "content": "Your parcel is in the depot."}
REPLY = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 7},
}
NOBODY = "http://127.0.0.1:9"  # whom Alertmanager would tell
SECONDS = 4  # of every window
EXPECTED = {
    ("TurnoutErrorRate", "support"),
    ("TurnoutAvailability", "support"),
    ("TurnoutUpstreamEjected", None),
}
NOT_SEEN = re.compile(r"first_token|streams|formats|15m")  # no stream, no form, no candidate


def hastened(folder: Path) -> list[Path]:
    """Write the rules with short windows that need no waiting, and return where they are."""
    copies = []
    for path in RULES:
        text = re.sub(r"\[\d+[mhd]\]", f"[{SECONDS}s]", path.read_text(encoding="utf-8"))
        text = re.sub(r"offset \d+m", f"offset {SECONDS}s", text)
        copy = folder / f"rules-{path.name}"
        copy.write_text(re.sub(r"for: \d+m", "for: 0s", text), encoding="utf-8")
        copies.append(copy)
    return copies


@asynccontextmanager
async def traffic(turnout: Served) -> AsyncIterator[None]:
    """Ask both routes again and again."""

    async def ask() -> None:
        while True:
            await pipeline(turnout.port, [chat(model="calm"), chat(model="support")] * 5)
            await pace(0.1)

    asking = asyncio.create_task(ask())
    yield
    asking.cancel()
    await asyncio.wait([asking])


async def missing(scraper: Scraper) -> set[str]:
    """Return what was to be recorded, and is not there."""
    names = {labels["__name__"] for labels, _ in await scraper.query('{job="turnout"}')}
    return {name for name in recorded() - names if not NOT_SEEN.search(name)}


def all_there(alerts: list[dict[str, Any]]) -> bool:
    """Return whether all that is to fire does."""
    labels = [alert["labels"] for alert in alerts]
    return {(each["alertname"], each.get("route")) for each in labels} >= EXPECTED


async def test_alertmanager_hears_of_the_route_that_fails_and_of_no_other(tmp_path: Path) -> None:
    async with scripted_upstream() as good, scripted_upstream() as bad:
        good.by_default, bad.by_default = json_reply(REPLY), error_reply(500)
        config, rules = CONFIG.format(good=good.port, bad=bad.port), hastened(tmp_path)
        async with (
            alertmanager.alertmanager(tmp_path, NOBODY) as manager,
            served(tmp_path, config) as turnout,
            prometheus.prometheus(
                tmp_path,
                turnout.admin_port,
                0.5,
                rules=rules,
                told=[manager.url.removeprefix("http://")],
            ) as scraper,
            traffic(turnout),
        ):
            await eventually(manager.up, bool)
            alerts = await eventually(manager.alerts, all_there, seconds=30)
            await eventually(lambda: missing(scraper), lambda names: names == set())
            groups = (await scraper.ask("rules", {}))["groups"]
    loaded = [rule for group in groups for rule in group["rules"]]
    assert [rule["name"] for rule in loaded if rule.get("lastError")] == []
    assert {rule["health"] for rule in loaded} == {"ok"}
    assert {alert["labels"].get("route", "support") for alert in alerts} == {"support"}
    errors = next(one for one in alerts if one["labels"]["alertname"] == "TurnoutErrorRate")
    assert (errors["labels"]["variant"], errors["labels"]["severity"]) == ("ft", "warning")
    assert errors["annotations"]["description"].startswith("100% of the requests to variant ft")
    assert errors["annotations"]["runbook_url"] == "docs/runbooks/error_rate.md"
