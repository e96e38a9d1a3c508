"""What the supervisor works out; what it does is shown in tests/processes."""

import pytest

from proxy.controlplane.supervision.supervisor import counted
from tests.support.data_plane import settings_of
from tests.support.whole import settings


def test_no_workers_stand_for_one_for_each_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy.controlplane.supervision.supervisor.available_cpus", lambda: 7)
    plane = settings_of(upstreams=[], workers=3)
    auto = counted(settings(plane, workers=0))
    assert auto.workers == auto.data_plane.workers == 7
    assert counted(settings(plane)).workers == 3
