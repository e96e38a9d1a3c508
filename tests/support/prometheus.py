"""A real Prometheus that scrapes one target, often; it needs the program `prometheus`.

    async with prometheus(folder, turnout.admin_port) as scraper:
        await eventually(lambda: scraper.query("up"), bool)

A query's result is a list of (labels, value).
"""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.support.programs import free_port

SECONDS_TO_END = 15.0
SCRAPE_SECONDS = 0.25
CONFIG = """\
global:
  scrape_interval: {interval}ms
  scrape_timeout: {interval}ms
  evaluation_interval: {interval}ms
rule_files: {rules}
alerting: {{alertmanagers: [{{static_configs: [{{targets: {told}}}]}}]}}
scrape_configs: [{{job_name: turnout, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]
"""


def program() -> str | None:
    """Return where the program is, None where it is missing."""
    return shutil.which("prometheus")


class Scraper:
    """A running Prometheus."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return what an expression is now; a ConnectionError while it is starting."""
        found = await self.ask("query", {"query": expression})
        return [(each["metric"], float(each["value"][1])) for each in found["result"]]

    async def ask(self, what: str, params: dict[str, Any]) -> Any:
        """Return the data of an answer of its API; a ConnectionError while it is starting."""
        try:
            reply = await self._client.get(f"/api/v1/{what}", params=params)
        except httpx2.TransportError as error:
            raise ConnectionError from error
        if reply.status_code == 503:
            raise ConnectionError("it is not ready")
        if reply.status_code == 400:
            raise ValueError(f"{reply.json()['error']}: {params}")
        return reply.raise_for_status().json()["data"]


@asynccontextmanager
async def prometheus(
    folder: Path,
    port: int,
    seconds: float = SCRAPE_SECONDS,
    *,
    rules: Sequence[Path] = (),
    told: Sequence[str] = (),
) -> AsyncIterator[Scraper]:
    """Run Prometheus on a target of this machine; it is ended by its own pid.

    `seconds` lie between two scrapes, and between two looks at `rules`, of whose alerts the
    Alertmanagers at the addresses `told` are told.
    """
    config = folder / "prometheus.yaml"
    text = CONFIG.format(
        port=port,
        interval=int(1000 * seconds),
        rules=json.dumps([str(path) for path in rules]),
        told=json.dumps(list(told)),
    )
    config.write_text(text)
    own = free_port()
    process = await asyncio.create_subprocess_exec(
        str(program()),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{own}",
        stdout=DEVNULL,
        stderr=DEVNULL,
        env={"PATH": os.environ["PATH"], "GOMAXPROCS": "1"},
    )
    client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{own}", timeout=10, trust_env=False)
    try:
        yield Scraper(client)
    finally:
        await client.aclose()
        process.terminate()
        async with asyncio.timeout(SECONDS_TO_END):
            await process.wait()
