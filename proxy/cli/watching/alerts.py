"""`turnout alerts`: what fires, what is pending, what was resolved lately."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.options import looks

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.command()
@looks
def alerts(asking: Asking) -> int:
    """Show the alerts over windows as they stand, and how many single requests raised one lately.

    \b
    Exit code: 0 nothing fires that is not silenced, 1 something does, 2 usage, 3 turnout can't be
    reached.

    \b
    Examples:
        turnout alerts
        turnout alerts --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from datetime import UTC, datetime  # noqa: PLC0415  # --help needs none of it

    from proxy.cli.watching.drawn import alerts as drawn  # noqa: PLC0415  # same
    from proxy.controlplane.admin.watching import models  # noqa: PLC0415  # same

    found = asking.show(
        asking.look("alerts"), models.Alerts, lambda each: drawn(each, datetime.now(UTC))
    )
    loud = [each for each in found.alerts if each.state == "firing" and each.silence is None]
    return 1 if loud else 0
