"""What came of a test of those who are told of alerts, as it is shown."""

from proxy.controlplane.admin.models.forms import Answer


class TriedNotifier(Answer):
    """One notifier, and whether it took the test."""

    notifier: str
    """`webhook`, `slack`, `alertmanager` or `email`."""
    host: str
    """Where it is, as far as that may be shown."""
    taken: bool
    """Whether it took the test."""
    reason: str | None
    """Why not; null: it did."""
    milliseconds: float
    """How long that took."""


class TriedNotifiers(Answer):
    """What came of the test; none are configured where the list is empty."""

    notifiers: list[TriedNotifier]
