"""turnout as a process of the demo's own: its configuration, its start, its output, its end.

It is started in a session of its own, so that a Ctrl-C in the terminal reaches the demo alone,
which then ends it properly.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2

HOST = "127.0.0.1"
SECONDS_TO_START = 30.0
SECONDS_TO_END = 10.0
DRAIN_SECONDS = 2
LINE_LIMIT = 1024 * 1024


class DemoError(Exception):
    """The demo can't go on; the message says why, for people."""


def pick_port(wanted: int | None, default: int) -> int:
    """Return `wanted` (DemoError if it is taken), or else `default`, or else any free port."""
    if wanted is not None:
        if not _is_free(wanted):
            raise DemoError(f"port {wanted} is taken; choose another, or leave it to the demo")
        return wanted
    if _is_free(default):
        return default
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False


def configuration(
    upstreams: Mapping[str, tuple[str, str]],
    route: str,
    split: Mapping[str, int],
    ports: tuple[int, int],
) -> str:
    """Return turnout's configuration (JSON is YAML too); `upstreams`: variant -> URL, model."""
    settings: dict[str, Any] = {
        "listen": f"{HOST}:{ports[0]}",
        "admin": {"listen": f"{HOST}:{ports[1]}"},
        "drain_seconds": DRAIN_SECONDS,
        "drain_grace_seconds": 0,
        "upstreams": {name: {"base_url": url} for name, (url, _) in upstreams.items()},
        "routes": {
            route: {
                "variants": {
                    name: {"upstream": name, "model": model}
                    for name, (_, model) in upstreams.items()
                },
                "split": dict(split),
                "sticky": "user",
            }
        },
    }
    return json.dumps(settings, indent=2) + "\n"


class Turnout:
    """A running `turnout serve`."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, admin_url: str) -> None:
        self._process = process
        self.url = url
        self.admin_url = admin_url

    @property
    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process.returncode is not None

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield what it writes, until it ends."""
        assert self._process.stdout is not None  # noqa: S101  # it was started with a pipe
        while line := await self._process.stdout.readline():
            yield line

    async def wait_until_ready(
        self, client: httpx2.AsyncClient, told_to_end: asyncio.Event
    ) -> str | None:
        """Return None when it takes requests or nobody waits any more, or else what is wrong."""
        try:
            async with asyncio.timeout(SECONDS_TO_START):
                while not (told_to_end.is_set() or await self._is_ready(client)):
                    if self.ended:
                        return "turnout ended before it was ready"
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return "turnout did not get ready in time"
        return None

    async def _is_ready(self, client: httpx2.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.url}/readyz")).status_code == 200
        except httpx2.HTTPError:
            return False

    async def metrics(self, client: httpx2.AsyncClient) -> str | None:
        """Return a scrape, or None where there is none to be had just now."""
        try:
            reply = await client.get(f"{self.admin_url}/metrics")
        except httpx2.HTTPError:
            return None
        return reply.text if reply.status_code == 200 else None

    async def end(self) -> int:
        """End it, politely first, and return its exit code."""
        for last_word in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            if not self.ended:
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(last_word)
            try:
                return await asyncio.wait_for(self._process.wait(), SECONDS_TO_END / 2)
            except TimeoutError:
                continue
        return await self._process.wait()


async def start_turnout(folder: Path, config: str, ports: tuple[int, int]) -> Turnout:
    """Start `turnout serve` on `config`, which is written into `folder`."""
    path = folder / "turnout.yaml"
    path.write_text(config, encoding="utf-8")
    command: Sequence[str] = (sys.executable, "-m", "proxy", "serve", "--config", str(path))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=LINE_LIMIT,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    return Turnout(process, *(f"http://{HOST}:{port}" for port in ports))
