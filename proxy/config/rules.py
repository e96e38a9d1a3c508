"""Rules: what a file says of alerts over windows, for all routes and for each of its own.

What is said of a rule on a route holds there; what is not is as it is said for all, and what is
said nowhere as it usually is.
"""

from collections.abc import Mapping

from msgspec.structs import replace
from pydantic import BaseModel

from proxy.alerting.windows import DEFAULTS, USUAL, Rule, Rules, WindowAlert
from proxy.config import schema
from proxy.config.schema.windows import NAMES, THRESHOLDS


def window_rules(file: schema.File) -> tuple[Rules, dict[str, Rules]]:
    """Return the rules for all routes, and those of the routes that have their own."""
    general = said(file.alerts, {rule.name.value: rule for rule in DEFAULTS})
    own = {
        name: tuple(said(route.alerts, general).values())
        for name, route in file.routes.items()
        if route.alerts.model_fields_set & set(NAMES)
    }
    return tuple(general.values()), own


def said(alerts: schema.WindowAlerts, otherwise: Mapping[str, Rule]) -> dict[str, Rule]:
    """Return the rules that are on, by name: as they are said, or else as they are otherwise."""
    rules: dict[str, Rule] = {}
    for name in NAMES:
        before = otherwise.get(name)
        if name not in alerts.model_fields_set:
            rule = before
        elif (part := getattr(alerts, name)) is None:
            rule = None
        else:
            rule = altered(before or USUAL[WindowAlert(name)], part)
        if rule is not None:
            rules[name] = rule
    return rules


def altered(rule: Rule, part: BaseModel) -> Rule:
    """Return a rule with what is said of it."""
    given = {name: getattr(part, name) for name in part.model_fields_set}
    member = THRESHOLDS.get(rule.name.value)
    if member in given:
        given["threshold"] = float(given.pop(member))
    return replace(rule, **given)
