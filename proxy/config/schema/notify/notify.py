"""The settings of who is told of alerts."""

from pydantic import Field

from proxy.config import fields, settings
from proxy.config.schema.notify import kinds
from proxy.config.schema.part import Part

NOTIFY = settings.Notify()


class Webhook(Part):
    """An address of your own that takes alerts as JSON."""

    url: kinds.HookUrl
    """The address that takes a POST. It may be `${NAME}` or `file:/path`."""
    headers: dict[fields.HeaderName, fields.Secret] = {}
    """Headers set on each. Values may be `${NAME}` or `file:/path`."""
    secret: kinds.Signing | None = None
    """What each post is signed with (HMAC-SHA256), so that its receiver can tell who sent it, and
    when. It may be `${NAME}` or `file:/path`."""


class Slack(Part):
    """A channel in Slack."""

    url: kinds.HookUrl
    """The address of an incoming webhook of the channel. It may be `${NAME}` or `file:/path`."""


class Alertmanager(Part):
    """Prometheus' Alertmanager, for grouping, silences and paging where they are."""

    url: kinds.Alertmanager
    """Where it is, without /api, like http://alertmanager:9093. It may be `${NAME}` or
    `file:/path`."""
    headers: dict[fields.HeaderName, fields.Secret] = {}
    """Headers set on each request. Values may be `${NAME}` or `file:/path`."""


class Email(Part):
    """Mail, through an SMTP server of yours."""

    server: kinds.Server
    """The SMTP server's name or address."""
    port: kinds.Port | None = None
    """Its port; without it 587 for `starttls`, 465 for `tls`, 25 for `none`."""
    security: settings.MailSecurity = "starttls"
    """`starttls`: encrypted before anything is said; `tls`: from the first byte; `none`: not at
    all."""
    user: kinds.Credential | None = None
    """Who turnout is to the server; without it, it does not say. It may be `${NAME}` or
    `file:/path`."""
    password: kinds.Credential | None = None
    """With which password. It may be `${NAME}` or `file:/path`."""
    sender: kinds.Mail = Field(alias="from")
    """The address that mails come from."""
    to: kinds.Mails
    """Who gets them: an address, or a list of them."""


class Notify(Part):
    """Who is told of alerts, beside the log and the metrics."""

    fold_seconds: fields.Pause = NOTIFY.fold_seconds
    """Repeats of an alert on single exchanges within this many seconds are told as one with a
    count."""
    repeat_seconds: fields.Pause = NOTIFY.repeat_seconds
    """What still fires after this many seconds is told again; 0: never."""
    runbooks: kinds.Runbooks | None = None
    """What links to runbooks begin with; without it, the page in turnout's own repository is
    named."""
    webhook: Webhook | None = None
    """An address of your own that takes alerts as JSON."""
    slack: Slack | None = None
    """A channel in Slack."""
    alertmanager: Alertmanager | None = None
    """Prometheus' Alertmanager."""
    email: Email | None = None
    """Mail, through an SMTP server."""
