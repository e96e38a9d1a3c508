"""Which finished exchanges deserve a word, and how repeats are told as one."""

from proxy.alerting.alert import Alert, AlertName
from proxy.alerting.folding import Folded, Folding
from proxy.alerting.notice import Notice, State, key_of
from proxy.alerting.noticing import noticed
from proxy.alerting.rules import Rules, Thresholds

__all__ = [
    "Alert",
    "AlertName",
    "Folded",
    "Folding",
    "Notice",
    "Rules",
    "State",
    "Thresholds",
    "key_of",
    "noticed",
]
