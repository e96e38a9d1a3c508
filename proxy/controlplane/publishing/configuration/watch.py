"""Watch: notices that the file has other contents, however they came there.

An editor may write the file or put another in its place; a mounted ConfigMap swaps a symlink
further up. So what is watched are the folders of the file and of every link on the way to it, and
what counts is whether the contents are those read last. It looks every second as well, for
file systems that tell nothing, and where a folder can't be watched.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import NoReturn

import structlog
from watchfiles import awatch

STEP_MS = 100  # without news, after which a file that is being written counts as written
LOOK_SECONDS = 1.0  # between two looks where nothing is heard
LINKS = 40  # in a row, as many as the kernel follows


async def watch(
    file: Path, stale: Callable[[], bool], changed: Callable[[], Awaitable[None]]
) -> NoReturn:
    """Await `changed` whenever `file` was found `stale`; runs until cancelled."""
    while True:
        places = await asyncio.to_thread(folders, file)
        if await asyncio.to_thread(stale):  # it changed while nothing was watched
            await changed()
        async with aclosing(news(places)) as heard:
            async for _ in heard:
                if await asyncio.to_thread(stale):
                    await changed()
                if await asyncio.to_thread(folders, file) != places:
                    break


async def news(places: frozenset[Path]) -> AsyncGenerator[None, None]:
    """Yield at each change in one of the folders, and every second; ends where it can't."""
    try:
        watching = awatch(
            *places,
            watch_filter=None,
            recursive=False,
            step=STEP_MS,
            rust_timeout=int(LOOK_SECONDS * 1000),
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )
        async with aclosing(watching) as heard:
            async for _ in heard:
                yield
    except OSError as error:  # a folder is gone, or the kernel watches no more of them
        log = structlog.get_logger()
        log.warning("the configuration's folder can't be watched", reason=error.strerror)
        await asyncio.sleep(LOOK_SECONDS)
        yield


def folders(file: Path) -> frozenset[Path]:
    """Return the folders in which a change can change what `file` leads to."""
    way = file.absolute()
    found = {way.parent}
    for _ in range(LINKS):
        link = next((part for part in [*reversed(way.parents), way] if part.is_symlink()), None)
        if link is None:
            break
        found.add(link.parent)
        way = link.parent / link.readlink() / way.relative_to(link)
    return frozenset(place.resolve() for place in found | {way.parent} if place.is_dir())
