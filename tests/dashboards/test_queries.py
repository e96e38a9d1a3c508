"""Every query of every board, put to a real Prometheus that scrapes a real turnout in traffic."""

import math
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dashboards.pictures.asking import Window, answers, chosen, marks, offered, panels
from dashboards.source.promql import TOP
from tests.dashboards.boards import BOARDS, Board
from tests.support import prometheus
from tests.support.patience import eventually
from tests.support.prometheus import Scraper
from tests.support.raw_traffic import chat, pipeline
from tests.support.served import Served
from tests.support.staged import stage, traffic

pytestmark = pytest.mark.skipif(
    prometheus.program() is None, reason="prometheus is not installed (apt install prometheus)"
)

OFTEN = 2  # times the traffic of the pictures
MANY = 50  # variants of one route
SECONDS_SHOWN = 60
STEP = 1.0


class Seen(NamedTuple):
    """What a query of a panel found."""

    board: str
    panel: str
    query: str
    series: list[dict[str, Any]]

    @property
    def empty(self) -> bool:
        """Whether it found no number at all."""
        return not any(map(math.isfinite, self.numbers()))

    def numbers(self) -> Iterator[float]:
        """Return every number that it found."""
        for one in self.series:
            values = one["values"] if "values" in one else [one["value"]]
            yield from (float(value) for _, value in values)


def window() -> Window:
    """Return the time up to now, as a board would show it."""
    now = time.time()
    return Window(start=now - SECONDS_SHOWN, end=now, step=STEP, rate=5.0)


async def asked(scraper: Scraper, boards: dict[str, Board], **choices: str) -> list[Seen]:
    """Return what each query of each panel and each annotation finds."""
    seen, shown = [], window()
    for name, board in boards.items():
        values = chosen(board, **choices)
        for panel in panels(board):
            found = await answers(scraper, panel, shown, values)
            for target, series in zip(panel["targets"], found, strict=True):
                seen.append(Seen(name, panel["title"], target["expr"], series))
        for mark, series in zip(
            board["annotations"]["list"], await marks(scraper, board, shown, values), strict=True
        ):
            seen.append(Seen(name, mark["name"], mark["expr"], series))
    return seen


async def disturb(turnout: Served, scraper: Scraper) -> None:
    """Change the split, kill a worker, read the file again, each once Prometheus looks."""
    await eventually(lambda: scraper.query("turnout_requests_total"), bool)
    split = {"weights": {"base": 50, "ft-v2": 40, "ft-v3": 10}, "why": "a test"}
    reply = await turnout.administer("POST", "/api/v1/routes/support/split", split)
    assert reply.status_code == 200, reply.text
    os.kill(turnout.children("worker")[0], signal.SIGKILL)
    os.kill(turnout.pid, signal.SIGHUP)


async def test_every_query_finds_what_happened_and_none_fails(tmp_path: Path) -> None:
    async with stage(tmp_path, quick=True, many=MANY) as (turnout, scraper):
        async with traffic(turnout, OFTEN):
            await disturb(turnout, scraper)
            await ask_every_variant(turnout, scraper)

            async def nothing() -> list[Seen]:
                return [seen for seen in await asked(scraper, BOARDS) if seen.empty]

            await eventually(nothing, lambda seen: not seen, seconds=40, step=1.0)
        seen = await asked(scraper, BOARDS)
        crowded = [each for each in seen if len(each.series) > TOP and "values" in each.series[0]]
        assert crowded == []
        side_by_side = next(each for each in seen if each.panel == "Side by side")
        assert len(side_by_side.series) > MANY
        await variables_offer_what_there_is(scraper)
        await processes_are_told_though_one_was_killed(scraper)
        nowhere = await asked(scraper, BOARDS, job="nobody", route="nobody", upstream="nobody")
        assert all(number == 0 for each in nowhere for number in each.numbers())


async def ask_every_variant(turnout: Served, scraper: Scraper) -> None:
    """Ask each of many variants until Prometheus has seen all, and once more: a rate needs two."""
    every = [chat("many", f"x-turnout-variant: v{number:02}") for number in range(MANY)]
    query = 'count by (variant) (turnout_requests_total{route="many", outcome="completed"})'

    async def seen() -> int:
        await pipeline(turnout.port, every)
        return len(await scraper.query(query))

    await eventually(seen, lambda found: found >= MANY, step=1.0)
    await pipeline(turnout.port, every)


async def processes_are_told_though_one_was_killed(scraper: Scraper) -> None:
    """See that each kind of process is told, and that the CPU time of the dead is not lost."""
    for name in ("resident_memory_bytes", "cpu_seconds_total", "start_time_seconds"):
        told = await scraper.query(f"turnout_process_{name} > 0")
        assert {labels["process"] for labels, _ in told} == {"supervisor", "control", "worker"}
    assert not await scraper.query("resets(turnout_process_cpu_seconds_total[1m]) > 0")


async def variables_offer_what_there_is(scraper: Scraper) -> None:
    """See that people can choose what there is."""
    found = {name: await offered(scraper, board, window()) for name, board in BOARDS.items()}
    assert found["variants"]["route"] == ["extract", "many", "summaries", "support"]
    assert {"base", "ft-v1", "ft-v2", "ft-v3", "v00"} <= set(found["variants"]["variant"])
    assert found["upstreams"]["upstream"] == ["hosted", "plain", "spare", "vllm", "vllm-new"]
    assert all(each["job"] == ["turnout"] for each in found.values())
    assert all(each["namespace"] == [] for each in found.values())  # it is no Kubernetes
