"""Two upstreams: `base` serves, `tuned` is the fine-tune."""

from collections.abc import AsyncIterator

import pytest

from tests.support.scripted_upstream import ScriptedUpstream, scripted_upstream
from tests.support.shadowed import reply


@pytest.fixture
async def base() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = reply("base")
        yield server


@pytest.fixture
async def tuned() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = reply("tuned")
        yield server
