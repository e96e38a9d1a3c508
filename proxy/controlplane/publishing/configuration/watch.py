"""Watch: notices that the file has other contents, however they came there.

An editor may write the file or put another in its place; a mounted ConfigMap swaps a symlink
further up. So what is watched are the folders of the file and of every link on the way to it, and
what counts is whether the contents are those read last. It looks every second as well, for
file systems that tell nothing, and where a folder can't be watched. What happens to other files
there, a log that grows beside it say, is no reason to look.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple, NoReturn

import structlog
from watchfiles import awatch

STEP_MS = 100  # without news, after which a file that is being written counts as written
LOOK_SECONDS = 1.0  # between two looks where nothing is heard
LINKS = 40  # in a row, as many as the kernel follows


class Way(NamedTuple):
    """The way to a file: itself and each link as the kernel names them, and where they lie."""

    names: frozenset[str]
    folders: frozenset[Path]


async def watch(
    file: Path, stale: Callable[[], bool], changed: Callable[[], Awaitable[None]]
) -> NoReturn:
    """Await `changed` whenever `file` was found `stale`; runs until cancelled."""
    while True:
        way = await asyncio.to_thread(way_to, file)
        if await asyncio.to_thread(stale):  # it changed while nothing was watched
            await changed()
        async with aclosing(news(way)) as heard:
            async for _ in heard:
                if await asyncio.to_thread(stale):
                    await changed()
                if await asyncio.to_thread(way_to, file) != way:
                    break


async def news(way: Way) -> AsyncGenerator[None, None]:
    """Yield at each change of what is on the way, and every second; ends where it can't."""
    now = asyncio.get_running_loop().time
    look_at = now() + LOOK_SECONDS
    try:
        watching = awatch(
            *way.folders,
            watch_filter=None,
            recursive=False,
            step=STEP_MS,
            debounce=int(LOOK_SECONDS * 1000),
            rust_timeout=int(LOOK_SECONDS * 1000),
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )
        async with aclosing(watching) as heard:
            async for changes in heard:
                ours = not changes or any(name in way.names for _, name in changes)
                if ours or now() >= look_at:
                    yield
                    look_at = now() + LOOK_SECONDS
    except OSError as error:  # a folder is gone, or the kernel watches no more of them
        log = structlog.get_logger()
        log.warning("the configuration's folder can't be watched", reason=error.strerror)
        await asyncio.sleep(LOOK_SECONDS)
        yield


def way_to(file: Path) -> Way:
    """Return what must not change for `file` to lead where it leads, and the folders to watch."""
    way = file.absolute()
    found = {way}
    for _ in range(LINKS):
        link = next((part for part in [*reversed(way.parents), way] if part.is_symlink()), None)
        if link is None:
            break
        found.add(link)
        way = link.parent / link.readlink() / way.relative_to(link)
        found.add(way)
    watched = {(place.parent.resolve(), place.name) for place in found if place.parent.is_dir()}
    return Way(
        frozenset(str(folder / name) for folder, name in watched),
        frozenset(folder for folder, _ in watched),
    )
