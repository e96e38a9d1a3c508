"""Wording: an alert over a window as a Notice, in a sentence that says what, where and how bad."""

from typing import Final

from proxy.alerting.notice import Notice, State, key_of
from proxy.alerting.windows.rules import UNITS, WindowAlert
from proxy.alerting.windows.states import Standing

WHAT: Final = {
    WindowAlert.ERROR_RATE: "{} % of requests fail",
    WindowAlert.LATENCY_P95: "5 of 100 replies take {} ms or more",
    WindowAlert.TTFT_P95: "5 of 100 first tokens take {} ms or more",
    WindowAlert.SHORT_RATE: "{} % of replies are short",
    WindowAlert.FORMAT_FAILURES: "{} % of replies have not the form that was asked for",
    WindowAlert.REFUSALS: "{} % of replies decline",
    WindowAlert.TOKENS_PER_MINUTE: "{} tokens a minute are used",
    WindowAlert.COST_PER_HOUR: "{} USD an hour are spent",
}
LONG: Final = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"))


def noticed(standing: Standing) -> Notice:
    """Return what is to be told of an alert that fires or is resolved."""
    name, route, variant, about = standing.key
    return Notice(
        key=key_of(name, route, variant, about),
        name=name,
        state=State.FIRING if standing.firing else State.RESOLVED,
        route=route,
        variant=variant,
        about=about,
        value=standing.value,
        threshold=threshold(standing),
        unit=UNITS[name],
        count=standing.count,
        first_at=standing.began_at,
        last_at=standing.seen_at,
        ends_at=standing.ended_at,
        sentence=sentence(standing),
        request_ids=standing.request_ids[::-1],
    )


def threshold(standing: Standing) -> float:
    """Return the figure that was broken, in the rule's unit."""
    rule = standing.rule
    return rule.window_seconds if rule.name is WindowAlert.NO_TRAFFIC else rule.threshold


def sentence(standing: Standing) -> str:
    """Return an alert in words."""
    key, now = standing.key, told(standing)
    where = " / ".join(filter(None, (key.route or "what passes through", key.variant)))
    if standing.firing:
        return f"turnout: {key.name} on {where}: {now}"
    lasted = length((standing.ended_at or 0.0) - standing.began_at)
    return f"turnout: {key.name} on {where} is resolved after {lasted}: {now}"


def told(standing: Standing) -> str:
    """Return what the figure is, in words."""
    rule, value = standing.rule, standing.value
    within = length(rule.window_seconds)
    if value is None:
        return "nothing is known of it any more"
    if rule.name is WindowAlert.NO_TRAFFIC:
        return f"no request for {length(value)}"
    of = f"{standing.count} requests within {within}, threshold {number(rule.threshold)}"
    if rule.name is WindowAlert.WORSE_THAN_BASELINE:
        what = f"its {standing.key.about} is at least {number(value)} times its baseline's"
    else:
        what = WHAT[rule.name].format(number(value))
    return f"{what} ({of})"


def length(seconds: float) -> str:
    """Return a length of time in the largest unit that it has one of."""
    for size, unit in LONG:
        if seconds >= size:
            return f"{number(seconds / size)} {unit}"
    return f"{number(seconds)} s"


def number(value: float) -> str:
    """Return a number with three digits that count, or all of a larger one."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
