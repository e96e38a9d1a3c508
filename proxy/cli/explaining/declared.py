"""What a configuration file says of its routes, asked of the code that decides in a worker."""

import os
from collections.abc import Mapping

from proxy import routing
from proxy.cli.faults import Fault, config_file
from proxy.config.compile import load_settings
from proxy.config.settings import DataPlane
from proxy.controlplane.admin import models, views
from proxy.routing import Router
from proxy.routing.explain import key_unit

Given = Mapping[str, str | None]  # kind of unit -> what was given for it


def ready(config: str | None) -> tuple[DataPlane, Router]:
    """Return what the configuration file says, ready to decide; ConfigError: it is wrong."""
    plane = load_settings(config_file(config), os.environ).data_plane
    return plane, Router(plane.table, lambda: 0)  # nothing printed depends on these dice


def explained(config: str | None, name: str, given: Given, forced: str | None) -> models.Explained:
    """Return the explanation by the file; Fault or Refusal: there is none."""
    plane, router = ready(config)
    found = router.route(name)
    if found is None:
        there = ", ".join(plane.table.routes)
        has = f"there are: {there}" if there else "the file has none"
        raise Fault(f"there is no route '{name}'; {has}", code=2)
    unit = sticks(name, found.sticky, given)
    if unit is not None and found.sticky == "key":
        unit = key_unit(unit, [each.name for each in plane.keys])
    told = routing.explain(router, found, unit=unit, forced=forced)
    return views.explained(told, None)


def sticks(name: str, sticky: str, given: Given) -> str | None:
    """Return the unit among `given` that route `name` sticks to; Fault: another was given."""
    for kind, value in given.items():
        if value is not None and kind != sticky:
            raise Fault(f"'{name}' sticks to the {sticky}, not to the {kind}", code=2)
    return given.get(sticky)
