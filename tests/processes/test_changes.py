"""Many changes, some of them bad, while streams are open and requests never stop.

TURNOUT_TEST_CHANGES says how many; what was seen is said on stderr. `make soak` makes 1,000.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from proxy.config.settings import Settings
from proxy.routing.table import Route
from tests.support.data_plane import settings_of, upstream, variant
from tests.support.load import PATIENT, Streams, Valve, load
from tests.support.patience import pace
from tests.support.process import say
from tests.support.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.support.whole import Whole, settings, whole_turnout

CHANGES = int(os.environ.get("TURNOUT_TEST_CHANGES", "40"))
SOAK = 1000  # changes, from which on the time of the slowest hundredth is a promise
PROMISE = 0.25  # seconds, for 99 % of changes
PACE = 0.1  # seconds from one change to the next
WORKERS = 4
STREAMS = 200
BAD: tuple[dict[str, Any], ...] = (
    {"weights": {"base": -1}},
    {"weights": {"nobody": 1}},
    {"weights": {}},
    {"weights": "all"},
)

pytestmark = pytest.mark.timeout(120 + CHANGES)


def given(server: ScriptedUpstream) -> Settings:
    variants = (variant("base", "u", model="m"), variant("ft", "u", model="lora"))
    plane = settings_of(
        Route(name="support", variants=variants, weights=(1.0, 0.0)),
        upstreams=[upstream("u", server.port, timeouts=PATIENT)],
        default_upstream="u",
        workers=WORKERS,
    )
    return settings(plane, drain_seconds=60.0, drain_grace_seconds=0.1)


async def change(turnout: Whole, number: int) -> tuple[int, float]:
    """Make a change, every tenth a bad one; return the status and the seconds it took."""
    good = {"weights": {"base": 100, "ft": number + 1}}
    body = BAD[number // 10 % len(BAD)] if number % 10 == 9 else good
    clock = asyncio.get_running_loop().time
    began = clock()
    answer = await turnout.administer(
        "POST", "/api/v1/routes/support/split", {**body, "why": f"change {number}"}
    )
    if answer.status_code == 200:
        assert (answer.json()["workers"], answer.json()["late"]) == (WORKERS, [])
    return answer.status_code, clock() - began


async def changes(turnout: Whole) -> tuple[list[int], list[float]]:
    """Make all changes, each at its time; return how each went, and what the good ones took."""
    clock = asyncio.get_running_loop().time
    start = clock()
    went = []
    for number in range(CHANGES):
        await pace(max(0.0, start + number * PACE - clock()))
        went.append(await change(turnout, number))
    return [status for status, _ in went], sorted(took for status, took in went if status == 200)


async def test_changes_cost_no_request_and_no_stream(tmp_path: Path) -> None:
    async with scripted_upstream() as server:
        valve, streams = Valve(server), Streams()
        async with (
            whole_turnout(given(server), tmp_path) as turnout,
            load(turnout.port) as under,
        ):
            await streams.open(turnout.port, STREAMS)
            await under.more(20)

            statuses, took = await changes(turnout)

            assert streams.open_still == STREAMS
            valve.open()
            cut = await streams.cut()
            good = CHANGES - CHANGES // 10
            late = took[len(took) * 99 // 100]
            say(
                f"{CHANGES} changes: {cut} of {STREAMS} streams cut, {len(under.failures)} of "
                f"{under.answered} requests failed; a change took "
                f"{took[len(took) // 2] * 1000:.0f} ms at p50, {late * 1000:.0f} ms at p99"
            )
            assert (cut, under.failures) == (0, [])
            assert [200 <= status < 300 for status in statuses] == [
                number % 10 != 9 for number in range(CHANGES)
            ]
            assert {status for status in statuses if status != 200} <= {400, 404, 409}
            assert (await turnout.status())["table"]["version"] == 1 + good
            assert late <= (PROMISE if CHANGES >= SOAK else 20 * PROMISE)
