"""What is measured, with which load, and how one cell's figures are taken from one target."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.machine import TICK
from bench.programs import Load, chat_request, run_load

if TYPE_CHECKING:
    from pathlib import Path

    from bench.programs import Mock
    from bench.targets import Target

SMALL, LARGE = 1_500, 50_000
POOL_OF_100 = "fastapi+httpx"  # its library's default: no more streams than that are open at once
SETTLE_STEP, SETTLE_STEPS = 0.1, 50  # seconds, and how many of them at most
Figures = dict[str, float]


@dataclass(frozen=True)
class Cell:
    """One load, and what it is for. CPU is counted per `unit`: a request or a chunk."""

    name: str
    title: str
    load: Load
    unit: str = "request"
    body: int = SMALL
    mock: str = ""  # what the mock is told to stream
    without: tuple[str, ...] = ()  # targets that are not asked to do this

    def request(self) -> bytes:
        """The request as it goes over the wire."""
        return chat_request(self.body, stream=bool(self.mock), mock=self.mock)


def all_cells(seconds: float) -> list[Cell]:
    """Every cell, in the order of a round; a p99 gets twice the time."""
    latency = seconds * 2
    return [
        Cell(
            "idle",
            "1,000 open idle streams",
            Load("stream", 1_000, 0.5, ramp=1.0, warm=0.5, chunks=1_000),
            unit="stream",
            mock="idle 1000",
            without=("direct", POOL_OF_100),
        ),
        Cell("one", "300/s over 1 connection", Load("open", 1, latency)),
        Cell("rate", "300/s over 16 connections", Load("open", 16, latency)),
        Cell("chat10", "10 connections", Load("closed", 10, seconds)),
        Cell("chat50", "50 connections", Load("closed", 50, seconds)),
        Cell("chat200", "200 connections", Load("closed", 200, seconds)),
        Cell("large50", "50 KB body, 50 connections", Load("closed", 50, seconds), body=LARGE),
        Cell(
            "stream",
            "200 streams, a chunk every 40 ms",
            Load("stream", 200, latency, ramp=1.0, chunks=50),
            unit="chunk",
            mock="stream 50",
        ),
        Cell(
            "long",
            "200 streams of 200 chunks",
            Load("stream", 200, latency * 2, ramp=1.0, chunks=200),
            unit="chunk",
            mock="stream 200",
            without=("direct", POOL_OF_100),
        ),
        Cell(
            "burst",
            "20 streams, chunks back to back",
            Load("stream", 20, seconds, chunks=500),
            unit="chunk",
            mock="burst 500",
        ),
        Cell(
            "many",
            "5,000 open streams, a chunk a second",
            Load("stream", 5_000, latency, ramp=3.0, warm=1.0, chunks=1_000),
            unit="chunk",
            mock="slow 1000",
            without=("fastapi+httpx2", POOL_OF_100),
        ),
    ]


def measure(
    cell: Cell, target: Target, mock: Mock, folder: Path, core: int
) -> tuple[Figures, str]:
    """Runs a cell's load on a target from `core`; returns figures (CPU in us a unit, durations in
    ms) and the first thing that went wrong, if any.
    """
    request = folder / "request.http"
    request.write_bytes(cell.request())
    memory_before, dropped_before = target.memory_bytes(), target.dropped()
    at_first: dict[str, float] = {}

    def begun() -> None:
        if cell.unit == "stream":  # they are open now, and will be gone with the load
            at_first["memory"] = target.memory_bytes()
        at_first.update(target=target.cpu_seconds(), mock=mock.cpu_seconds())

    got = run_load(cell.load, target.port, request, core, begun)
    if cell.unit == "request":
        _settle(target)
    units = {"request": got["requests"] + got["late"], "chunk": got["chunks"]}.get(cell.unit, 0)
    cpu = target.cpu_seconds() - at_first["target"]
    harness = got["cpu_us"] / 1e6 + mock.cpu_seconds() - at_first["mock"]
    figures: Figures = {
        "units": units,
        "failed": got["failed"],
        "dropped": target.dropped() - dropped_before,
        "open": got["open"],
        "per_second": (units - got["late"]) / got["seconds"],
    }
    if units:
        figures["harness_us"] = harness / units * 1e6
    if units and target.process:
        figures["cpu_us"] = cpu / units * 1e6
    if cell.unit == "stream" and got["open"]:
        grown = at_first["memory"] - memory_before
        figures["mb_per_1000"] = grown / 1e6 / got["open"] * 1_000
        figures["mb_idle"] = memory_before / 1e6
    return figures | _durations(got), got["first_failure"]


def _settle(target: Target) -> None:
    """Waits until the target has done what the load left it to do: turnout writes its log and its
    metrics after the reply, and that is to be counted too.
    """
    used = target.cpu_seconds()
    for _ in range(SETTLE_STEPS):
        time.sleep(SETTLE_STEP)
        before, used = used, target.cpu_seconds()
        if used - before <= TICK:
            return


def _durations(got: dict[str, Any]) -> Figures:
    figures: Figures = {}
    for name in ("latency", "ttft", "chunk"):
        if got[name]["count"]:
            figures[f"{name}_p50_ms"] = got[name]["p50_us"] / 1e3
            figures[f"{name}_p99_ms"] = got[name]["p99_us"] / 1e3
    return figures
