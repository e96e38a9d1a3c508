"""Tests in several processes: most run beside each other, and some have the machine to themselves.

Each test of a run in several processes is in the room while it runs: beside others, or alone. Who
wants to be alone waits in the door, so that nobody else comes in before. Both are locks on
folders of this repository, which a process that ends lets go of, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

DOOR = Path(__file__).parent
ROOM = DOOR.parent


@contextmanager
def in_the_room(*, alone: bool, door: Path = DOOR, room: Path = ROOM) -> Iterator[None]:
    """Run the block while no other process runs one `alone`; if it is, while none runs any."""
    how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    with ExitStack() as stack:
        before = _opened(door, stack)
        fcntl.flock(before, how)
        fcntl.flock(_opened(room, stack), how)
        if not alone:
            fcntl.flock(before, fcntl.LOCK_UN)
        yield


def _opened(folder: Path, stack: ExitStack) -> int:
    descriptor = os.open(folder, os.O_RDONLY)
    stack.callback(os.close, descriptor)
    return descriptor
