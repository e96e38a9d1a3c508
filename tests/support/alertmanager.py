"""A real Alertmanager that tells a webhook soon; it needs the program `prometheus-alertmanager`.

async with alertmanager(folder, hook.url) as manager:
    await eventually(manager.alerts, bool)
"""

import asyncio
import os
import shutil
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.support.programs import free_port

SECONDS_TO_END = 15.0
CONFIG = """\
global: {{resolve_timeout: 1h}}
route:
  receiver: hook
  group_by: [route]
  group_wait: 200ms
  group_interval: 500ms
  repeat_interval: 1h
receivers: [{{name: hook, webhook_configs: [{{url: '{url}'}}]}}]
"""


def program() -> str | None:
    """Return where the program is, as Debian or its makers call it; None: it is missing."""
    return shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")


class Manager:
    """A running Alertmanager."""

    def __init__(self, client: httpx2.AsyncClient, url: str) -> None:
        self._client = client
        self.url = url

    async def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are active now; none while it is starting."""
        return await self._ask("alerts")

    async def groups(self) -> list[dict[str, Any]]:
        """Return how it groups them."""
        return await self._ask("alerts/groups")

    async def up(self) -> bool:
        """Return whether it answers."""
        try:
            return (await self._client.get("/-/ready")).status_code == 200
        except httpx2.TransportError:
            return False

    async def _ask(self, what: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._client.get(f"/api/v2/{what}")).json()
        return found


@asynccontextmanager
async def alertmanager(folder: Path, url: str, port: int = 0) -> AsyncIterator[Manager]:
    """Run Alertmanager, which groups by route and posts to `url`; it is ended by its own pid."""
    config = folder / "alertmanager.yaml"
    config.write_text(CONFIG.format(url=url))
    place = f"127.0.0.1:{port or free_port()}"
    process = await asyncio.create_subprocess_exec(
        str(program()),
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={place}",
        "--cluster.listen-address=",
        stdout=DEVNULL,
        stderr=DEVNULL,
        env={"PATH": os.environ["PATH"], "GOMAXPROCS": "1"},
    )
    base = f"http://{place}"
    async with httpx2.AsyncClient(base_url=base, timeout=10, trust_env=False) as client:
        try:
            yield Manager(client, base)
        finally:
            process.terminate()
            async with asyncio.timeout(SECONDS_TO_END):
                await process.wait()
