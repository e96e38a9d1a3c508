"""Administration with a real publisher, served on a port of this host from a thread of its own.

with served_admin() as admin:
    ask(admin.url, token=ADMIN)
    admin.house.late = (1,)
"""

import asyncio
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from proxy.controlplane.admin.entrance.server import serve
from proxy.rollout import contents_of
from tests.support.administered import Administered, administered

if TYPE_CHECKING:
    from proxy.controlplane.admin.comparing.answering import Compares
    from proxy.controlplane.admin.record.looking import Observations
    from proxy.controlplane.fleet import Fleet
    from tests.support.published import House


class ServedAdmin:
    """A served administration: its address, and what stands behind it."""

    def __init__(self, url: str, behind: Administered) -> None:
        self.url = url
        self.behind = behind
        self.house: House = behind.house
        self.fleet: Fleet = behind.fleet

    def support(self, version: int | None = None) -> dict[str, Any]:
        """Return what a version, or the last one, says of the route."""
        kept = self.house.versions.kept
        found: dict[str, Any] = contents_of(kept[(version or len(kept)) - 1])["routes"]["support"]
        return found


class _Begun(NamedTuple):
    admin: ServedAdmin
    loop: asyncio.AbstractEventLoop
    over: asyncio.Event


@contextmanager
def served_admin(
    observations: "Observations | None" = None, compares: "Compares | None" = None
) -> Iterator[ServedAdmin]:
    """Serve administration of two workers on two routes."""
    begun: queue.SimpleQueue[_Begun] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(begun, observations, compares)))
    thread.start()
    admin, loop, over = begun.get(timeout=30)
    try:
        yield admin
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(timeout=30)


async def _serve(
    begun: queue.SimpleQueue[_Begun],
    observations: "Observations | None",
    compares: "Compares | None",
) -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    over = asyncio.Event()
    async with (
        administered(observations=observations, compares=compares) as behind,
        serve(behind.app, sock),
    ):
        begun.put(_Begun(ServedAdmin(url, behind), asyncio.get_running_loop(), over))
        await over.wait()
