"""`turnout versions`: every routing that was in force, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.options import pages

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.command()
@pages
def versions(asking: Asking, *, limit: int, before: int | None) -> None:
    """List the versions of the routing: when each came in force, by whom, and why.

    \b
    Examples:
        turnout versions
        turnout versions --limit 100 --before 42
        turnout versions --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.drawing import history  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    asking.show(
        asking.look("versions", limit=limit, before=before), models.Versions, history.versions
    )
