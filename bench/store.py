"""The request store: observations written a second, and how long the command line's searches take.

    python -m bench.store [--rows 5000000] [--url postgresql://...]

One thread writes, as control does; CPU time is told beside the wall's, for a machine may be
shared.
The last tenth's rate is told as well, for that is what a full store does.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from proxy.exchange.observation import Observation, Usage
from proxy.exchange.outcome import ErrorCode, Outcome
from proxy.store import Store, open_store
from proxy.store.observations import ANY, Finding, Keeping, Wanted
from proxy.store.observations.writer import BATCH
from proxy.store.summaries import Comparing, Folding

ROWS = 5_000_000
LEAST_RATE = 5_000  # observations a second
MOST_MS = 200.0  # for a search
UNITS = 50_000
LIMIT = 20  # what `turnout logs` asks for
ROUNDS = 5
FOLD_EVERY = 50  # batches: as many as come in ten seconds of 5,000 a second
BEGAN = 1_790_000_000.0
PLAIN = Observation(
    request_id="",
    started_at=BEGAN,
    table_version=3,
    outcome=Outcome.COMPLETED,
    status=200,
    endpoint="/v1/chat/completions",
    dialect="chat",
    variant_assigned="base",
    unit_kind="user",
    upstream="openai",
    model_asked="support",
    model_served="gpt-4o-mini",
    attempts=1,
    usage=Usage(512, 128, 0, None),
    tokens_source="upstream",
    overhead_ms=0.4,
    reply_chars=512,
    reply_bytes=2048,
    finish_reason="stop",
    prompt_preview="p" * 100,
    response_preview="r" * 100,
)


def observations(rows: int) -> Iterator[Observation]:
    """Yield traffic: 3 routes, 2 variants, 6 keys, 2 % errors, a hundred that are rare."""
    dice = random.Random(1)
    for number in range(rows):
        failed = dice.random() < 0.02
        latency = dice.lognormvariate(6.5, 1.0)
        variant = dice.choice(("base", "base", "base", "ft-v2"))
        at = BEGAN + number * 0.02
        seen = replace(
            PLAIN,
            request_id=f"req_{int(at * 1000):012x}{dice.getrandbits(80):020x}",
            started_at=at,
            latency_ms=latency,
            route=dice.choice(("support", "sales", "search")),
            variant_assigned=variant,
            variant_served=variant,
            bucket=int(UNITS * dice.random() ** 2),  # some send much, most little
            ttft_ms=latency / 3,
            cost_usd=dice.random() / 100,
            key_name=dice.choice("abcdef"),
            alerts=("slow",) if latency > 5000 else (),
        )
        if failed:
            code = ErrorCode.PROVIDER_STATUS
            seen = replace(seen, outcome=Outcome.UPSTREAM_ERROR, error_code=code, status=502)
        if number % (rows // 100 or 1) == 7:
            seen = replace(seen, outcome=Outcome.PROXY_ERROR, latency_ms=500_000.0 + number)
        yield seen


def fill(store: Store, rows: int) -> dict[str, float]:
    """Write `rows` observations; return the rates, by the wall's clock and by CPU time."""
    keeping, source = Keeping(store.engine), observations(rows)
    folding = Folding(store.engine, seconds=1e9, wall=time.time)
    wall: list[float] = []
    cpu: list[float] = []
    for start in range(0, rows, BATCH):
        batch = [next(source) for _ in range(min(BATCH, rows - start))]
        began, used = time.perf_counter(), time.thread_time()
        keeping.keep(batch)
        if start // BATCH % FOLD_EVERY == 0:
            folding.fold()
        wall.append(time.perf_counter() - began)
        cpu.append(time.thread_time() - used)
    while folding.fold():
        pass
    last = max(1, len(wall) // 10)
    return {
        "a second": rows / sum(wall),
        "a second, the last tenth": last * BATCH / sum(wall[-last:]),
        "a second of CPU": rows / sum(cpu),
    }


def searches(finding: Finding, rows: int) -> dict[str, Callable[[], Any]]:
    """Return what the command line may ask, by what it would be typed as."""
    middle = finding.find(Wanted(), 1, before=rows // 2)[0]
    old = BEGAN + rows * 0.02 * 0.3
    wanted = {
        "logs": Wanted(),
        "logs --route": Wanted(route="sales"),
        "logs --variant --outcome": Wanted(variant="ft-v2", outcome="upstream_error"),
        "logs --route --variant --key --outcome": Wanted(
            route="search", variant="ft-v2", key="c", outcome="upstream_error"
        ),
        "logs --alert any": Wanted(alert=ANY),
        "logs --outcome, 1 in 50,000": Wanted(outcome="proxy_error"),
        "logs --slower-than, 1 in 50,000": Wanted(slower_than=500_000.0),
        "logs --slower-than --route, rare": Wanted(slower_than=500_000.0, route="sales"),
        "logs --slower-than, none": Wanted(slower_than=1e9),
        "logs --key, none": Wanted(key="nobody"),
        "logs --since --until, long ago": Wanted(since=old, until=old + 60),
        "logs --until, long ago": Wanted(until=old, key="c"),
    }
    asked: dict[str, Callable[[], Any]] = {
        name: partial(finding.find, each, LIMIT) for name, each in wanted.items()
    }
    asked["logs --before"] = lambda: finding.find(Wanted(route="sales"), LIMIT, before=rows // 2)
    asked["logs --follow"] = lambda: finding.find(Wanted(), 500, after=rows - 100)
    asked["logs show"] = lambda: (
        finding.one(middle.observation.request_id),
        finding.shadows(middle.observation.request_id),
    )
    return asked


def measure(store: Store, rows: int) -> dict[str, tuple[float, float]]:
    """Return each search's first and median time, in milliseconds."""
    asked = searches(Finding(store.engine), rows)
    return {name: timed(ask) for name, ask in asked.items()}


def compare(store: Store, rows: int) -> dict[str, tuple[float, float]]:
    """Return the milliseconds a comparison of all, and of a tenth, takes: first and median."""
    comparing, end = Comparing(store.engine), BEGAN + rows * 0.02
    found = {}
    for name, since in (("compare", BEGAN), ("compare, a tenth of it", end - rows * 0.002)):
        ask = partial(comparing.measure, "support", ("base", "ft-v2"), since, end)
        found[name] = timed(ask)
    return found


def timed(ask: Callable[[], Any]) -> tuple[float, float]:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return times[0], sorted(times)[ROUNDS // 2]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.store", description=__doc__)
    parser.add_argument("--url", help="a PostgreSQL database instead of SQLite")
    parser.add_argument("--rows", type=int, default=ROWS, help="observations (%(default)s)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "versions.db"
        store = open_store(given.url or path)
        print(f"{given.rows:,} observations")
        for name, rate in fill(store, given.rows).items():
            print(f"  {rate:9,.0f} {name}")
        if given.url is None:
            print(f"  {path.stat().st_size / given.rows:9,.0f} bytes each")
        print("milliseconds: first, median")
        found = measure(store, given.rows) | compare(store, given.rows)
        for name, (first, median) in found.items():
            print(f"  {first:7.1f} {median:7.1f}  {name}")
        store.close()


if __name__ == "__main__":
    main()
