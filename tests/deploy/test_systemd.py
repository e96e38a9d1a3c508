"""The units of deploy/systemd: what systemd says of them, and what they start."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import fields

from proxy.config.settings import Settings
from tests.deploy.units import UNITS, Unit, started

NEEDS_SYSTEMD = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)
MOST_EXPOSURE = 1.5  # of 10; 1.4 by systemd 252: it is a server on a network
FILE = """
upstreams: {u: {base_url: 'http://127.0.0.1:9/v1'}}
routes: {support: {variants: {a: {upstream: u}, b: {upstream: u, model: m}}, split: {a: 9, b: 1}}}
drain_grace_seconds: 0
"""


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


@NEEDS_SYSTEMD
def test_systemd_has_nothing_to_say_against_the_units(tmp_path: Path) -> None:
    for path in UNITS.iterdir():
        text = path.read_text(encoding="utf-8")
        text = text.replace("/opt/turnout/bin/turnout", sys.executable)  # it must be there
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    result = analyzed("verify", *map(str, sorted(tmp_path.iterdir())))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@NEEDS_SYSTEMD
def test_the_service_is_shut_off_from_what_it_does_not_need() -> None:
    words = ("security", "--offline=true", f"--threshold={MOST_EXPOSURE * 10:.0f}")
    result = analyzed(*words, str(UNITS / "turnout.service"))
    assert result.returncode == 0, result.stdout


def test_systemd_waits_for_the_end_of_what_runs() -> None:
    unit = Unit("turnout.service")
    default = {field.name: field.default for field in fields(Settings)}
    drained = default["drain_grace_seconds"] + default["drain_seconds"]
    assert float(unit.one("TimeoutStopSec")) >= drained + 30
    assert unit.one("KillMode") == "control-group"


async def test_the_unit_starts_reloads_and_ends_it(tmp_path: Path) -> None:
    async with started(tmp_path, FILE) as service:
        assert await service.notice() == ["READY=1"]
        assert await service.get("/readyz") == 200
        assert (service.data / "admin.token").exists()

        assert await service.reload() == 0
        assert (await service.notice())[0] == "RELOADING=1"
        assert await service.notice() == ["READY=1"]

        os.kill(service.pid, signal.SIGTERM)
        assert await service.notice() == ["STOPPING=1"]
        assert await service.over() == 0
