"""What turnout must reach, and whether a run says that it does."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.run import Measured


@dataclass(frozen=True)
class Bar:
    """A bound on a figure that is read off each round, and what the rounds give together.

    Read round by round, because what slows the machine for a while slows both sides of a ratio.
    """

    text: str
    limit: float
    read: Callable[[Measured], float]
    together: Callable[[Iterable[float]], float] = median

    def judge(self, rounds: Sequence[Measured]) -> dict[str, object]:
        """The bar with its value; `passed` is None where the run did not measure it."""
        values = []
        for measured in rounds:
            with suppress(KeyError, ZeroDivisionError):
                values.append(self.read(measured))
        value = self.together(values) if values else None
        passed = None if value is None else value <= self.limit
        return {"text": self.text, "limit": self.limit, "value": value, "passed": passed}


def _cpu(cell: str, target: str) -> Callable[[Measured], float]:
    return lambda measured: measured[cell][target]["cpu_us"]


def _ratio(
    top: Callable[[Measured], float], bottom: Callable[[Measured], float]
) -> Callable[[Measured], float]:
    return lambda measured: top(measured) / bottom(measured)


def _added(cell: str, figure: str) -> Callable[[Measured], float]:
    return lambda measured: measured[cell]["turnout"][figure] - measured[cell]["direct"][figure]


def _missing_streams(measured: Measured) -> float:
    """Of the 5,000: streams that were not open at the end, and requests that failed."""
    many = measured["many"]["turnout"]
    return 5_000 - many["open"] + many["failed"]


def _sum(figure: str) -> Callable[[Measured], float]:
    return lambda measured: sum(
        by_target["turnout"][figure] for by_target in measured.values() if "turnout" in by_target
    )


BARS = (
    Bar(
        "50 connections: CPU a request, x nginx's",
        6.0,
        _ratio(_cpu("chat50", "turnout"), _cpu("chat50", "nginx")),
    ),
    Bar(
        "50 connections: CPU a request, share of FastAPI + httpx's",
        1 / 20,
        _ratio(_cpu("chat50", "turnout"), _cpu("chat50", "fastapi+httpx")),
    ),
    Bar(
        "streams of 50 chunks: CPU a chunk, x nginx's",
        2.0,
        _ratio(_cpu("stream", "turnout"), _cpu("stream", "nginx")),
    ),
    Bar(
        "streams of 200 chunks: CPU a chunk, x nginx's",
        2.0,
        _ratio(_cpu("long", "turnout"), _cpu("long", "nginx")),
    ),
    Bar("1 connection: added p50 over direct, ms", 0.5, _added("one", "latency_p50_ms")),
    Bar("1 connection: added p99 over direct, ms", 1.5, _added("one", "latency_p99_ms")),
    Bar(
        "50 KB body: CPU a request, x nginx's",
        6.0,
        _ratio(_cpu("large50", "turnout"), _cpu("large50", "nginx")),
    ),
    Bar(
        "CPU a request at 200 connections, x that at 10",
        1.5,
        _ratio(_cpu("chat200", "turnout"), _cpu("chat10", "turnout")),
    ),
    Bar(
        "memory per 1,000 open idle streams, MB",
        25.0,
        lambda measured: measured["idle"]["turnout"]["mb_per_1000"],
    ),
    Bar("5,000 open streams on one worker: missing or failed", 0.0, _missing_streams, sum),
    Bar("failed requests in all of turnout's cells", 0.0, _sum("failed"), sum),
    Bar("observations and log lines dropped in all of turnout's cells", 0.0, _sum("dropped"), sum),
)


def judge_all(rounds: Sequence[Measured]) -> list[dict[str, object]]:
    """Every bar with its value and whether it was passed."""
    return [bar.judge(rounds) for bar in BARS]
