"""`turnout audit`: every change that was asked for, done or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.options import pages

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.command()
@pages
def audit(asking: Asking, *, limit: int, before: int | None) -> None:
    """List the changes that were asked for, also those refused: who, from where, what, and why.

    \b
    Examples:
        turnout audit
        turnout audit --limit 100 --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.drawing import history  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    asking.show(asking.look("audit", limit=limit, before=before), models.Audit, history.audit)
