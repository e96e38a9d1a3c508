"""Containers of the image: runc on what buildah built, as the image itself says how to run it.

    with image.container(folder, config) as container:
        container.run("turnout", "ready")
        container.signal(signal.SIGTERM)
        assert container.wait() == 0

What an engine like Docker adds is added here: process, mount and, unless it shares the host's,
network namespaces; a root file system that can't be written to, no capability, no privilege to
gain. There is no /tmp to write to either: the volume is all there is.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS = 60
NAMESPACES = ("pid", "mount", "ipc", "uts", "network")
MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["mode=1777"]},
]


class Image:
    """What `deploy/image/build` built into a storage; `config` is what it says of itself."""

    def __init__(self, storage: Path, name: str) -> None:
        self._buildah = ["buildah", "--storage-driver", "vfs", "--root", str(storage / "images")]
        self._buildah += ["--runroot", str(storage / "run")]
        self.storage = storage
        inspected = json.loads(self._ask("inspect", "--type", "image", name))
        self.config: dict[str, Any] = inspected["Docker"]["config"]
        self._container = self._ask("from", "--pull-never", name)
        self.root = Path(self._ask("mount", self._container))

    def _ask(self, *words: str) -> str:
        command = [*self._buildah, *words]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=SECONDS
        ).stdout.strip()

    def close(self) -> None:
        """Remove what was made to look into it; the image stays."""
        self._ask("rm", self._container)

    @contextmanager
    def container(
        self, folder: Path, config: str | None, *words: str, alone: bool = False
    ) -> Iterator["Container"]:
        """Run it in `folder`, where its log, its volume and its /etc/turnout are.

        `words` stand in the place of its command; `alone`: in a network of its own.
        """
        volume, etc = folder / "volume", folder / "etc"
        etc.mkdir()
        if config is not None:
            (etc / "turnout.yaml").write_text(config, encoding="utf-8")
        volume.mkdir(mode=0o700)
        os.chown(volume, *self.user)  # an engine copies owner and mode from the image
        (folder / "config.json").write_text(
            json.dumps(self._bundle(volume, etc, words, alone=alone))
        )
        container = Container(folder, self.storage / "containers")
        try:
            container.start()
            yield container
        finally:
            container.close()

    @property
    def user(self) -> tuple[int, int]:
        """The user and the group that it runs as."""
        user, _, group = self.config["User"].partition(":")
        return int(user), int(group)

    def _bundle(
        self, volume: Path, etc: Path, words: tuple[str, ...], *, alone: bool
    ) -> dict[str, Any]:
        (inside,) = self.config["Volumes"]
        binds = [(volume, inside, "rw"), (etc, "/etc/turnout", "ro")]
        uid, gid = self.user
        nothing: dict[str, list[str]] = {"bounding": [], "effective": [], "permitted": []}
        return {
            "ociVersion": "1.0.2",
            "root": {"path": str(self.root), "readonly": True},
            "process": {
                "args": [*self.config["Entrypoint"], *(words or self.config["Cmd"])],
                "env": self.config["Env"],
                "cwd": self.config["WorkingDir"],
                "user": {"uid": uid, "gid": gid},
                "capabilities": nothing,
                "noNewPrivileges": True,
            },
            "mounts": MOUNTS
            + [
                {"destination": where, "source": str(what), "options": ["bind", how]}
                for what, where, how in binds
            ],
            "linux": {
                "namespaces": [{"type": name} for name in NAMESPACES if alone or name != "network"]
            },
        }


class Container:
    """A container that runs; its log, stderr included, is in `log`."""

    def __init__(self, folder: Path, state: Path) -> None:
        self._runc = ["runc", "--root", str(state)]
        self._folder = folder
        self._name = f"turnout-{os.getpid()}-{folder.name}"
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "log"
        self.volume = folder / "volume"

    def start(self) -> None:
        """Start it."""
        command = [*self._runc, "run", "--bundle", str(self._folder), self._name]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as its user."""
        command = [*self._runc, "exec", self._name, *words]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=SECONDS
        )

    async def healthy(self, check: list[str]) -> bool:
        """Return whether its health check passes; AssertionError if it has ended."""
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        kind, *words = check
        assert kind == "CMD"
        return self.run(*words).returncode == 0

    def signal(self, sent: signal.Signals) -> None:
        """Send a signal to its first process."""
        command = [*self._runc, "kill", self._name, sent.name]
        subprocess.run(command, check=True, timeout=SECONDS)

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        assert self._process is not None
        return self._process.wait(SECONDS)

    def status(self) -> dict[str, str]:
        """Return what the kernel says of its first process."""
        command = [*self._runc, "state", self._name]
        state = subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
        lines = Path(f"/proc/{json.loads(state.stdout)['pid']}/status").read_text().splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def close(self) -> None:
        """End it if it runs still."""
        assert self._process is not None
        if self._process.poll() is None:
            command = [*self._runc, "delete", "--force", self._name]
            subprocess.run(command, check=False, timeout=SECONDS)
            self._process.wait(SECONDS)
