"""`turnout reload`: the configuration file, read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.options import looks

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking

NOT_TAKEN = ("outdated", "rejected")


@click.command()
@looks
def reload(asking: Asking) -> int:
    """Read the configuration file again; a bad one is rejected whole, with every problem.

    A running turnout does so by itself when the file changes, and on SIGHUP.

    \b
    Exit code: 0 what the file says is in force, 1 it was not taken, 2 usage, 3 turnout can't be
    reached, 5 it is not known whether it is in force.

    \b
    Examples:
        turnout reload
        turnout reload --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.drawing.changed import reloaded  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    found = asking.show(asking.order("reload"), models.Reloaded, reloaded)
    return 1 if found.result in NOT_TAKEN else 0
