import pytest


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give processes that are to make room a moment only."""
    for name in ("REPLACED_SECONDS", "LATE_SECONDS"):
        monkeypatch.setattr(f"proxy.controlplane.supervision.child.{name}", 0.05)
