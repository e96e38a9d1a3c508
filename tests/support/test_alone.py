import asyncio
import fcntl
import os
from pathlib import Path

from tests.support.alone import in_the_room
from tests.support.patience import eventually


async def test_who_wants_to_be_alone_comes_before_those_who_ask_later(tmp_path: Path) -> None:
    door, room = tmp_path / "door", tmp_path / "room"
    door.mkdir()
    room.mkdir()
    seen: list[str] = []

    def stay(name: str, *, alone: bool) -> None:
        with in_the_room(alone=alone, door=door, room=room):
            seen.append(f"{name} comes")
            seen.append(f"{name} goes")

    async def somebody_waits_in_the_door() -> bool:
        descriptor = os.open(door, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    async with asyncio.TaskGroup() as group:
        with in_the_room(alone=False, door=door, room=room):
            stay("a second", alone=False)
            group.create_task(asyncio.to_thread(stay, "who wants to be alone", alone=True))
            await eventually(somebody_waits_in_the_door, bool)
            group.create_task(asyncio.to_thread(stay, "a third", alone=False))
            seen.append("the first goes")

    who = [name for name in seen if name.endswith("goes")]
    assert who == ["a second goes", "the first goes", "who wants to be alone goes", "a third goes"]
    assert seen.index("a third comes") > seen.index("who wants to be alone goes")
