"""`turnout version`: one version of the routing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.options import looks

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.group()
def version() -> None:
    """Show a version of the routing."""


@version.command(short_help="Show version N as the file would say it.")
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@looks
def show(asking: Asking, *, number: int) -> None:
    """Show version N: who put it in force and why, and its routing as the file would say it.

    \b
    Examples:
        turnout version show 6
        turnout version show 6 --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.drawing import history  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    asking.show(asking.look("versions", number), models.WholeVersion, history.version)
