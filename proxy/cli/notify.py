"""`turnout notify`: a test for everybody who is told of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.options import looks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from proxy.cli.running.asking import Asking
    from proxy.controlplane.admin.notifying.models import TriedNotifiers

NOBODY = "nobody is told of alerts: the file names none under alerts.notify"


@click.command()
@looks
def notify(asking: Asking) -> int:
    """Send a test to everybody who is told of alerts, now, and say what came of it.

    Each is tried once. Alerts that wait are not held up.

    \b
    Exit code: 0 all took it, 1 somebody did not or there is nobody, 2 usage, 3 turnout can't be
    reached, 5 it is not known.

    \b
    Examples:
        turnout notify
        turnout notify --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.controlplane.admin.notifying import models  # noqa: PLC0415  # --help needs none

    found = asking.show(asking.order("notify"), models.TriedNotifiers, drawn)
    return 0 if found.notifiers and all(each.taken for each in found.notifiers) else 1


def drawn(found: TriedNotifiers) -> Iterator[RenderableType]:
    """Draw who took the test, and who did not and why."""
    from rich.text import Text  # noqa: PLC0415  # --help needs none of it

    from proxy.cli.drawing.console import clean  # noqa: PLC0415  # same

    if not found.notifiers:
        yield Text(NOBODY, "yellow")
    for each in found.notifiers:
        where = f"{each.notifier:<13} {clean(each.host)}"
        if each.taken:
            yield Text(f"{where}: took it, after {each.milliseconds:.0f} ms", "green")
        else:
            yield Text(f"{where}: did not take it: {clean(each.reason or '')}", "bold red")
