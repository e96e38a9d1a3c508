"""What turnout must reach, and whether a run's medians say that it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.run import Medians


@dataclass(frozen=True)
class Bar:
    """A bound on a figure that is read off the medians."""

    text: str
    limit: float
    read: Callable[[Medians], float]
    at_most: bool = True

    def judge(self, medians: Medians) -> dict[str, object]:
        """The bar with its value; `passed` is None where the run did not measure it."""
        try:
            value: float | None = self.read(medians)
        except (KeyError, ZeroDivisionError):
            value = None
        passed = None if value is None else (value <= self.limit) == self.at_most
        return {"text": self.text, "limit": self.limit, "value": value, "passed": passed}


def _cpu(cell: str, target: str) -> Callable[[Medians], float]:
    return lambda medians: medians[cell][target]["cpu_us"]


def _ratio(
    top: Callable[[Medians], float], bottom: Callable[[Medians], float]
) -> Callable[[Medians], float]:
    return lambda medians: top(medians) / bottom(medians)


def _added(cell: str, figure: str) -> Callable[[Medians], float]:
    return lambda medians: medians[cell]["turnout"][figure] - medians[cell]["direct"][figure]


def _missing_streams(medians: Medians) -> float:
    """Of the 5,000: streams that were not open at the end, and requests that failed."""
    many = medians["many"]["turnout"]
    return 5_000 - many["open"] + many["failed"]


def _sum(figure: str) -> Callable[[Medians], float]:
    return lambda medians: sum(by_target["turnout"][figure] for by_target in medians.values())


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
        "streams: CPU a chunk, x nginx's",
        2.0,
        _ratio(_cpu("stream", "turnout"), _cpu("stream", "nginx")),
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
        lambda medians: medians["idle"]["turnout"]["mb_per_1000"],
    ),
    Bar("5,000 open streams on one worker: missing or failed", 0.0, _missing_streams),
    Bar("failed requests in all of turnout's cells", 0.0, _sum("failed")),
    Bar("observations and log lines dropped in all of turnout's cells", 0.0, _sum("dropped")),
)


def judge_all(medians: Medians) -> list[dict[str, object]]:
    """Every bar with its value and whether it was passed."""
    return [bar.judge(medians) for bar in BARS]
