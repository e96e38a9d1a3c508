"""Waiting for another process, the one place where a test polls: with a deadline, and a reason."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

SECONDS = 15.0
STEP = 0.02

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T]], enough: Callable[[T], bool], *, seconds: float = SECONDS
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
        await asyncio.sleep(STEP)
    raise AssertionError(f"not within {seconds} s; last seen: {seen}")
