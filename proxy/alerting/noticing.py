"""What was folded becomes a Notice: in words, with examples, and how long it matters.

Pure; windows have their own way to a Notice, for they know when something is over.
"""

from proxy.alerting.alert import Alert, AlertName
from proxy.alerting.folding import Folded
from proxy.alerting.notice import TEST, Notice, State, key_of, runbook

UNITS = {AlertName.SLOW: "ms", AlertName.SHORT: "characters", AlertName.BUDGET: "USD"}
TRIAL_SECONDS = 60.0  # in which a test is over
MATTERS_SECONDS = 300.0  # after the last exchange, at least; and so till the next word of it


def noticed(folded: Folded, fold_seconds: float) -> Notice:
    """Return what is to be told of alerts that were folded within `fold_seconds`."""
    alert = folded.alert
    lasts = max(MATTERS_SECONDS, 2 * fold_seconds)  # longer than until the next of its kind
    return Notice(
        key=key_of(alert.name, alert.route, alert.variant, alert.about),
        name=alert.name,
        state=State.FIRING,
        route=alert.route,
        variant=alert.variant,
        about=alert.about,
        value=alert.value,
        threshold=alert.threshold,
        unit=UNITS[alert.name],
        count=folded.count,
        first_at=folded.first_at,
        last_at=folded.last_at,
        ends_at=alert.ends_at or folded.last_at + lasts,
        sentence=sentence(alert, folded.count),
        request_ids=folded.request_ids,
        observation=alert.observation,
    )


def sentence(alert: Alert, count: int) -> str:
    """Return the alert in words."""
    if alert.about is not None:
        return f"turnout: {alert.about} are spent: {alert.value:.2f} USD"
    where = f"{alert.route or 'no route'} / {alert.variant or 'no variant'}"
    times = "" if count == 1 else f", {count} times"
    return (
        f"turnout: {alert.name} reply on {where}: {alert.value:g} {UNITS[alert.name]}"
        f" (threshold {alert.threshold:g}){times}"
    )


def trial(who: str, now: float) -> Notice:
    """Return what is sent where a person wants to see whether it arrives."""
    return Notice(
        key=key_of(TEST, None, None, None),
        id=f"{TEST}-{now:.3f}",
        name=TEST,
        state=State.FIRING,
        route=None,
        variant=None,
        value=None,
        threshold=0.0,
        unit="",
        first_at=now,
        last_at=now,
        ends_at=now + TRIAL_SECONDS,
        sentence=f"turnout: a test that {who} asked for; nothing is wrong",
        runbook=runbook(TEST, None),
    )
