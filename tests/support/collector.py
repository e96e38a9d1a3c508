"""A real collector of OpenTelemetry's signals: rotel, which hands on what it took.

async with receiver() as beyond, collector(port, beyond.url):
    await beyond.next()
    spans = [span for body in beyond.bodies for span in spans_in(body)]
"""

import asyncio
import importlib.util
import sysconfig
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.programs import free_port

SECONDS_TO_END = 15.0


def program() -> Path | None:
    """Return where the program is; None: it is missing."""
    found = importlib.util.find_spec("rotel")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "rotel-agent"


@asynccontextmanager
async def collector(port: int, beyond: str) -> AsyncIterator[None]:
    """Run a collector that takes OTLP over HTTP and sends it `beyond`; ended by its own pid."""
    process = await asyncio.create_subprocess_exec(
        str(program()),
        "start",
        *("--otlp-http-endpoint", f"127.0.0.1:{port}"),
        *("--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}"),
        *("--exporter", "otlp", "--otlp-exporter-protocol", "http"),
        *("--otlp-exporter-endpoint", beyond, "--batch-timeout", "50ms"),
        stdout=DEVNULL,
        stderr=DEVNULL,
        env={"LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR")},  # it embeds this Python
    )
    try:
        yield
    finally:
        process.terminate()
        async with asyncio.timeout(SECONDS_TO_END):
            await process.wait()
