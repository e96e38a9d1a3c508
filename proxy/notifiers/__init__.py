"""Who is told of alerts outside: webhook, Slack, Alertmanager, mail.

configured      every notifier, each with a delivery of its own
delivery        how a notice gets there, however long that takes
webhook, slack, alertmanager, mail      the form that each one takes
posting         one POST, and what its answer means
payload         the webhook's JSON
wording         what people read
"""

from proxy.notifiers.configured import Notifiers, Tried

__all__ = ["Notifiers", "Tried"]
