"""What is in force: an explanation from the turnout that runs."""

from proxy.cli.explaining.declared import Given, sticks
from proxy.cli.running.asking import Asking, read
from proxy.cli.running.refused import UNREACHED, Denied
from proxy.controlplane.admin import models

HINT = "That is of the turnout that runs; --file asks the file."


def explained(
    asking: Asking, name: str, given: Given, forced: str | None
) -> models.Explained | Denied:
    """Return the explanation, or why there is nobody to give one; Denied, Fault: there is none."""
    try:
        told = _ask(asking, name, None, forced)
        unit = sticks(name, told.sticky, given)
        return told if unit is None else _ask(asking, name, unit, forced)
    except Denied as denied:
        if denied.exit_code == UNREACHED:
            return denied
        raise denied.adding(HINT) from None


def _ask(asking: Asking, name: str, unit: str | None, forced: str | None) -> models.Explained:
    body = asking.look("routes", name, "explain", unit=unit, variant=forced)
    return read(body, models.Explained)
