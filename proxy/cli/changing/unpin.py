"""`turnout unpin`: a unit goes where the split says again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.names import routes
from proxy.cli.running.options import changes

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.command()
@click.argument("route", shell_complete=routes)
@click.argument("unit")
@changes
def unpin(asking: Asking, *, route: str, unit: str) -> None:
    """Let a pinned UNIT of ROUTE go where the split says again.

    \b
    Examples:
        turnout unpin support alice
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    asking.publish("DELETE", "routes", route, "pins", unit=unit)
