"""A ConfigMap and a pod as the kubelet has them, on this machine.

    mount = Mount(folder, chart.config_map())
    async with running(chart, mount, folder) as turnout:
        mount.put(upgraded.config_map())

A mounted volume has its files in a folder named after the moment, to which `..data` leads; what
programs open are links through `..data`. New files come in a new folder, one rename of `..data`
puts them all in their place, and the old folder goes (Kubernetes' AtomicWriter does so).
"""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from tests.helm.chart import Rendered
from tests.support.served import Served


class Mount:
    """A mounted ConfigMap."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self._numbers = count()
        folder.mkdir()
        self.put(files)
        for name in files:
            (folder / name).symlink_to(f"..data/{name}")

    def put(self, files: Mapping[str, str]) -> None:
        """Put other contents in its files' place."""
        data, fresh = self.folder / "..data", self.folder / "..data_tmp"
        old = data.resolve() if data.exists() else None
        place = self.folder / f"..2026_11_23_00_00_00.{next(self._numbers)}"
        place.mkdir()
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8")
        fresh.symlink_to(place.name)
        fresh.replace(data)
        if old is not None:
            shutil.rmtree(old)


@asynccontextmanager
async def running(chart: Rendered, mount: Mount, folder: Path) -> AsyncIterator[Served]:
    """Run what the chart's container runs, its paths and addresses those of this machine."""
    data, log = folder / "data", folder / "log"
    data.mkdir()
    data.chmod(0o2777)  # an emptyDir with fsGroup: root's, and open to the pod's group
    here = {
        "/etc/turnout": str(mount.folder),
        "/var/lib/turnout": str(data),
        "0.0.0.0:8000": "127.0.0.1:0",
        "0.0.0.0:8001": "127.0.0.1:0",
    }

    def local(text: str) -> str:
        for there, instead in here.items():
            text = text.replace(there, instead)
        return text

    container = chart.container()
    said = {each["name"]: local(each["value"]) for each in container["env"] if "value" in each}
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "proxy", *map(local, container["args"])],
            stdout=file,
            stderr=PIPE,
            env={**os.environ, **said},
        )
    turnout = Served(process, log)
    turnout.data = data
    try:
        await turnout.ready()
        yield turnout
    finally:
        await turnout.close()
