"""Every test of the edge runs on both loops."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.http.house import Guest, House


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Name the loops."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if sys.platform != "win32":
        import uvloop  # noqa: PLC0415  # not everywhere

        loops["uvloop"] = uvloop.new_event_loop
    return loops


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Give out edges, and see that nothing is left of them: no task, connection or crash."""
    opened = House(Guest)
    yield opened
    await opened.close()
