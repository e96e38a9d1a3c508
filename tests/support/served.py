"""`turnout serve` with a configuration file: its processes, its log, its metrics, its end.

    async with served(folder, config(upstream.port)) as turnout:
        ... traffic on turnout.port ...
        lines = await turnout.exchanges(3)
        assert (await turnout.metrics()).total("turnout_requests_total", outcome="completed") == 3

The log goes to a file, unless `stdout` says where else. Every process is ended by its own pid.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

from prometheus_client.parser import text_string_to_metric_families

from tests.support.patience import SECONDS, eventually
from tests.support.whole import Whole

LISTENERS = """\
listen: 127.0.0.1:0
admin: {listen: '127.0.0.1:0'}
drain_seconds: 5
drain_grace_seconds: 0
"""

Line = dict[str, Any]


class Samples:
    """One scrape of the metrics."""

    def __init__(self, text: str) -> None:
        families = text_string_to_metric_families(text)
        self.all = [sample for family in families for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of the samples of a name that have these labels."""
        return sum(
            sample.value
            for sample in self.all
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def by(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """Return the sums of the samples of a name by the values of these labels."""
        sums: dict[tuple[str, ...], float] = {}
        for sample in self.all:
            if sample.name == name and sample.value:
                key = tuple(sample.labels[label] for label in labels)
                sums[key] = sums.get(key, 0.0) + sample.value
        return sums

    def values(self) -> set[tuple[str, str]]:
        """Return every label's values, bounds of buckets aside."""
        return {pair for sample in self.all for pair in sample.labels.items() if pair[0] != "le"}


class Served(Whole):
    """A running `turnout serve`; `log` is the file that its log goes to."""

    def __init__(self, process: Process, log: Path) -> None:
        super().__init__(process, log)
        self.log = log
        self.data = log.parent / "turnout-data"
        self._lines: list[Line] = []  # those before `_read` in the file
        self._read = 0

    def lines(self, event: str | None = None) -> list[Line]:
        """Return the whole lines logged so far, of one event or all."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")
        self._read += len(whole[0]) + len(whole[1])
        self._lines += [json.loads(line) for line in whole[0].split(b"\n") if line]
        return [line for line in self._lines if event in (None, line["event"])]

    async def exchanges(self, count: int, *, seconds: float = SECONDS) -> list[Line]:
        """Return the exchanges' lines once there are as many as `count`."""

        async def logged() -> list[Line]:
            return self.lines("exchange")

        return await eventually(logged, lambda seen: len(seen) >= count, seconds=seconds)

    async def alerts(self, count: int) -> list[Line]:
        """Return the alerts' lines once there are as many as `count`."""

        async def logged() -> list[Line]:
            return self.lines("alert")

        return await eventually(logged, lambda seen: len(seen) >= count)

    async def metrics(self) -> Samples:
        """Return what a scrape says now."""
        return Samples((await self.admin("/metrics")).text)

    async def accounted(self, *, taken: int = 0, seconds: float = SECONDS) -> dict[str, int]:
        """Return the accounts once nothing is under way and at least `taken` were taken."""

        def closed(status: Any) -> bool:
            found = status["exchanges"]
            ended = found["taken"] + found["dropped"] + found["lost"]
            return bool(found["begun"] == ended and found["taken"] >= taken)

        status = await eventually(self.status, closed, seconds=seconds)
        accounts: dict[str, int] = status["exchanges"]
        return accounts


@asynccontextmanager
async def served(
    folder: Path,
    config: str,
    *arguments: str,
    listeners: str = LISTENERS,
    environment: Mapping[str, str] | None = None,
    stdout: int | IO[bytes] | None = None,
    before: tuple[str, ...] = (),
) -> AsyncIterator[Served]:
    """Run `turnout serve` on `config`, ready; `before` is a program that starts it."""
    path, log = folder / "turnout.yaml", folder / "turnout.log"
    path.write_text(listeners + config, encoding="utf-8")
    inherited = {key: value for key, value in os.environ.items() if key != "TURNOUT_CONFIG"}
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *[*before, sys.executable, "-m", "proxy", "serve", "--config", str(path), *arguments],
            stdout=file if stdout is None else stdout,
            stderr=PIPE,
            env={**inherited, **(environment or {})},
        )
    turnout = Served(process, log)
    try:
        await turnout.ready()
        yield turnout
    finally:
        await turnout.close()
