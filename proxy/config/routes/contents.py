"""Contents: the part of a file that is its routing, taken out of it and put back.

What is taken out holds no secret and nothing of alerts, keys or upstreams, which reload from the
file. What is put back was perhaps changed by somebody, or comes from another day's file, so all
of it is checked against the upstreams and keys that there are. It knows no version and no place
where contents are kept.
"""

from typing import Any

from proxy.config.check import validated
from proxy.config.fit import fit_routing
from proxy.config.schema import File, Route
from proxy.config.source import Document
from proxy.config.wording import refused
from proxy.rollout.contents import Contents

ELSEWHERE = {"alerts", "quality", "format", "store", "budget"}  # of a route: from the file alone
OF_VARIANTS = {"prices"}  # same, of each variant

NO_ROUTING: Any = dict.fromkeys(ELSEWHERE, True) | {"variants": {"__all__": OF_VARIANTS}}


def contents(file: File) -> Contents:
    """Return the routing of `file` as it declares it: defaults left out, variants in order."""
    return {
        "routes": {
            name: route.model_dump(exclude_defaults=True, exclude=NO_ROUTING)
            for name, route in file.routes.items()
        },
        "default_upstream": file.default_upstream,
        "pass_unknown_models": file.pass_unknown_models,
    }


def with_contents(file: File, contents: Contents) -> File:
    """Return `file` with `contents` in the place of its own routing.

    Raises ConfigError with every problem where they do not fit its upstreams and keys. What of a
    route is no routing stays as the file has it. `contents()` of what is returned is their
    declared form.
    """
    routing = {**contents, "routes": _with_the_rest(file, contents["routes"])}
    document = Document("")
    document.value = {
        "upstreams": file.upstreams,
        "keys": {name: key.model_dump() for name, key in file.keys.items()},
        **routing,
    }
    checked = validated(document)
    fit_routing(document)
    if checked is None or document.problems:
        told = [f"{each.path or 'it'} {each.reason}; {each.remedy}" for each in document.problems]
        raise refused("the routing", told)
    return file.model_copy(update={name: getattr(checked, name) for name in routing})


def _with_the_rest(file: File, routes: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _whole(route, file.routes[name]) if name in file.routes else route
        for name, route in routes.items()
    }


def _whole(routed: dict[str, Any], route: Route) -> dict[str, Any]:
    """Return a route of contents with what the file says of it, and of its variants, beside."""
    priced = {
        name: {"prices": each.prices.model_dump()}
        for name, each in route.variants.items()
        if each.prices is not None
    }
    variants = {
        name: {**said, **priced.get(name, {})} for name, said in routed["variants"].items()
    }
    return {**routed, **_rest(route), "variants": variants}


def _rest(route: Route) -> dict[str, Any]:
    return {name: getattr(route, name) for name in ELSEWHERE & route.model_fields_set}
