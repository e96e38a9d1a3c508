"""`turnout diff`: what two versions of the routing say differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.options import looks

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.command()
@click.argument("earlier", metavar="A", type=click.IntRange(min=1))
@click.argument("later", metavar="[B]", type=click.IntRange(min=1), required=False)
@looks
def diff(asking: Asking, *, earlier: int, later: int | None) -> None:
    """Show every place at which version B differs from version A: + new, - gone, ~ changed.

    B is the version in force where it is left out.

    \b
    Examples:
        turnout diff 5 8
        turnout diff 5
        turnout diff 5 8 --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.drawing import history  # noqa: PLC0415  # --help needs none of it
    from proxy.cli.running.asking import read  # noqa: PLC0415  # same
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    if later is None:
        later = read(asking.look("routing"), models.Routing).version
    asking.show(asking.look("versions", earlier, "diff", later), models.Diff, history.diff)
