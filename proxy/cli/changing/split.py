"""`turnout split`: a route's weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from proxy.cli.running.names import routes, weighted
from proxy.cli.running.options import changes

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking


@click.command()
@click.argument("route", shell_complete=routes)
@click.argument("given", metavar="VARIANT=WEIGHT...", nargs=-1, shell_complete=weighted)
@changes
def split(asking: Asking, *, route: str, given: tuple[str, ...]) -> None:
    """Set the weights of ROUTE; variants that are not named get none.

    Weights are any numbers from 0 on; only their proportion counts. Raising a candidate's weight
    moves units into it and none out of it.

    \b
    Exit code: 0 in force, 1 refused, 2 usage, 3 turnout can't be reached, 4 the routing changed
    meanwhile, 5 it is not known whether it is in force.

    \b
    Examples:
        turnout split support base=95 ft-v2=5 --why "the first users"
        turnout split support base=1
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    asking.publish("POST", "routes", route, "split", body={"weights": weights(given)})


def weights(given: tuple[str, ...]) -> dict[str, float]:
    """Return the weights of words like base=95; a usage error: they are none."""
    said: dict[str, float] = {}
    for word in given:
        name, _, number = word.rpartition("=")
        if not name:
            raise wrong(f"'{word}' is not of the form VARIANT=WEIGHT, like base=95")
        if name in said:
            raise wrong(f"'{name}' has two weights")
        said[name] = weight(number, f"the weight of '{name}'")
    if not said:
        raise wrong("name at least one variant and its weight, like base=95")
    return said


def weight(number: str, what: str) -> float:
    """Return a weight; a usage error: it is none."""
    try:
        found = float(number)
    except ValueError:
        found = math.nan
    if not math.isfinite(found) or found < 0:
        raise wrong(f"{what} must be a number, 0 or above")
    return found


def wrong(message: str) -> click.BadParameter:
    """Return the usage error of a word."""
    return click.BadParameter(message, param_hint="VARIANT=WEIGHT")
