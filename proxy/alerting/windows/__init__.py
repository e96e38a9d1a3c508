"""Alerts over windows: rules on what many exchanges come to, and how each stands.

    rules    what a rule is, and which hold by default
    figures  what rules are of
    watches  one rule on one thing
    layout   all rules on all that is routed
    states   pending, firing, resolved
    windows  exchanges in, what changed out
    wording  that in words, as a Notice

Pure: the time is passed in.
"""

from proxy.alerting.windows.rules import DEFAULTS, UNITS, USUAL, Rule, Rules, WindowAlert
from proxy.alerting.windows.states import Key, Now, Phase, Standing
from proxy.alerting.windows.windows import Windows
from proxy.alerting.windows.wording import noticed

__all__ = [
    "DEFAULTS",
    "UNITS",
    "USUAL",
    "Key",
    "Now",
    "Phase",
    "Rule",
    "Rules",
    "Standing",
    "WindowAlert",
    "Windows",
    "noticed",
]
