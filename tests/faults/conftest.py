"""An upstream whose replies say what they used, so that nothing waits to be counted."""

from collections.abc import AsyncIterator

import pytest

from tests.support.scripted_upstream import ScriptedUpstream, json_reply, scripted_upstream

USAGE = {"prompt_tokens": 3, "completion_tokens": 1}


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    async with scripted_upstream() as server:
        server.by_default = json_reply(
            {"object": "chat.completion", "choices": [], "usage": USAGE}
        )
        yield server
