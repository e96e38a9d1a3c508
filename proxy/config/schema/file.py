"""The file, whole."""

from typing import Annotated

from pydantic import Field

from proxy.config import fields, settings
from proxy.config.schema.part import CAN_BE_OFF, Part
from proxy.config.schema.records import Log, Previews, Store, Tracing
from proxy.config.schema.routing import Route, Upstream
from proxy.config.schema.serving import Admin, Deadlines, Key, Limits, Tls
from proxy.config.schema.watching import Alerts, Quality


class File(Part):
    """turnout.yaml, whole."""

    upstreams: Annotated[dict[fields.Name, Upstream], Field(min_length=1)]
    """The endpoints that can be called, by name."""
    routes: dict[fields.Name, Route] = {}
    """The routes by name: what apps put in `model`."""
    default_upstream: str | None = None
    """Where other `/v1` paths go (files, audio, batches); without it they are 404."""
    pass_unknown_models: bool = False
    """Whether a model that is no route goes to the default upstream as it is, instead of 404."""
    keys: dict[fields.Name, Key] = {}
    """Clients' keys by name. Without any, every caller may pass."""
    alerts: Alerts = Alerts()
    """What raises an alert."""
    quality: Annotated[Quality | None, *CAN_BE_OFF] = Quality()
    """What is looked for in replies, or `off`."""
    previews: Annotated[Previews | None, *CAN_BE_OFF] = Previews()
    """What of the words is written down, or `off`."""
    count_tokens: bool = True
    """Whether to count tokens with tiktoken where an upstream reports no usage."""
    store: Annotated[Store | None, *CAN_BE_OFF] = Store()
    """The store, or `off`: no requests on record, and versions and audit log in SQLite."""
    log: Log = Log()
    """The log on stdout."""
    tracing: Tracing | None = None
    """Spans for OpenTelemetry; without it, there are none, and a client's traceparent passes
    through as it is."""
    listen: fields.Address = "0.0.0.0:8000"
    """Where clients connect, HOST:PORT; port 0 takes any free one."""
    admin: Admin = Admin()
    """The administration listener."""
    data_dir: fields.Text = settings.DATA_DIR
    """The folder for what turnout keeps: versions, the audit log, its own token. It is made where
    there is none; a relative path starts at this file's folder."""
    host: fields.Name | None = None
    """What this host is called among those that share a store; without it, as the machine is."""
    revision: fields.Count | None = None
    """A number of your own that grows with each change of this file. Where it is smaller than the
    one last published, the file is an outdated copy and is ignored."""
    tls: Tls | None = None
    """TLS for the traffic listener; without it, plain HTTP."""
    workers: fields.Workers = 1
    """Worker processes; `auto` takes as many as there are CPUs for this process."""
    limits: Limits = Limits()
    """How much a client may send."""
    deadlines: Deadlines = Deadlines()
    """How long a client may take, in seconds."""
    drain_seconds: fields.Pause = 120.0
    """How long running exchanges may go on after SIGTERM, in seconds."""
    drain_grace_seconds: fields.Pause = 2.0
    """How long connections are still taken after readiness went down, in seconds."""
