"""What control keeps, put together from the real parts: an exchange is found in all of them."""

import json
import logging
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog

from proxy.app.control import compose_control
from proxy.app.record import Kept
from proxy.channel import Ledger, create_memory
from proxy.config.settings import Settings
from proxy.controlplane.fleet import Fleet
from proxy.controlplane.hosts.company import Company
from proxy.controlplane.publishing.configuration.standing import Standing
from proxy.store.observations import Wanted
from tests.support.data_plane import settings_of, upstream
from tests.support.observed import observed
from tests.support.routes import route


@pytest.fixture
def log(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[str]]]:
    """Return what reads the events of exchanges that were logged since; put logging back."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    text: list[str] = []

    def events() -> list[str]:
        text.append(capfd.readouterr().out)
        lines = map(json.loads, "".join(text).splitlines())
        return [each["event"] for each in lines if "request_id" in each]

    yield events
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[Kept]:
    plane = settings_of(route({"base": 1.0}), upstreams=[upstream("sim", 9)])
    settings = Settings(data_plane=plane, data_dir=str(folder))
    fleet = Fleet(Ledger(create_memory(1, 1)), plane.table, {"worker": 0, "control": 0})
    company = Company("here", time.monotonic)
    async with compose_control(settings, fleet, Standing("turnout.yaml"), company) as record:
        assert isinstance(record, Kept)
        record.adopt(settings)
        yield record


async def test_an_exchange_is_in_the_log_the_metrics_and_the_store_with_its_alert(
    tmp_path: Path, log: Callable[[], list[str]]
) -> None:
    seen = observed(latency_ms=6000.0, started_at=time.time())
    async with kept(tmp_path) as record:
        record.take(0, [seen])
        metrics = record.render()[0].decode()
        assert [kind[0] for kind, _ in record.lately.counts()] == ["slow"]
        writer, found = record.stored.writer, record.observations
        assert writer is not None
        assert found is not None
        assert writer.flush(10)
        assert [each.observation.alerts for each in found.find(Wanted(), 9)] == [("slow",)]
        assert record.lines.flush(10)
    assert 'turnout_alerts_total{alert="slow",route="support",variant="base"} 1.0' in metrics
    assert log() == ["exchange", "alert"]


@pytest.mark.parametrize("kind", ["worker", "control"])
def test_a_child_whose_supervisor_is_gone_ends(kind: str) -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    ran = subprocess.run(
        [sys.executable, "-m", "proxy.app", kind, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        check=False,
        capture_output=True,
        timeout=30,
    )
    theirs.close()
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
