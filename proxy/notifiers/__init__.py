"""Who is told of alerts outside: a webhook."""

from proxy.notifiers.webhook import WebhookNotifier

__all__ = ["WebhookNotifier"]
