"""Waiting for what nobody tells of, another process say: the one place where a test sleeps.

It polls, with a deadline and a reason. Traffic has a pace; nothing that is claimed hangs on it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

SECONDS = 15.0
STEP = 0.02

T = TypeVar("T")


async def pace(seconds: float) -> None:
    """Let some time pass between two requests, or changes, of traffic."""
    await asyncio.sleep(seconds)


async def eventually(
    look: Callable[[], Awaitable[T]],
    enough: Callable[[T], bool],
    *,
    seconds: float = SECONDS,
    step: float = STEP,
) -> T:
    """Return the first thing seen that is enough; AssertionError, with the last, if none is.

    An OSError of `look` counts as nothing seen: whoever is asked may be starting.
    """
    seen: object = "nothing"
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        try:
            seen = found = await look()
        except OSError as error:
            seen = error
        else:
            if enough(found):
                return found
        await asyncio.sleep(step)
    raise AssertionError(f"not within {seconds} s; last seen: {seen}")


async def until(condition: Callable[[], bool], *, seconds: float = SECONDS) -> None:
    """Wait until something of this process holds that no event tells of."""

    async def look() -> bool:
        return condition()

    await eventually(look, bool, seconds=seconds, step=0.001)
