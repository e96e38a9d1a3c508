"""What is in force: a version, the configuration around it, and the settings both come to.

It also says how the next version is written, and which settings a running turnout can't change:
sockets, processes and the data directory are made at the start and stay. Nothing here acts.
"""

from msgspec import Struct
from msgspec.structs import replace

from proxy.config.settings import AUTO, Settings
from proxy.controlplane.publishing.change import Caller
from proxy.controlplane.publishing.configuration.reading import Declared
from proxy.controlplane.supervision.host import available_cpus
from proxy.rollout import Contents, Source, Version, canonical, contents_of, digest

FIXED = {  # as the file names them -> members of Settings
    "listen": ("listen_host", "listen_port"),
    "admin.listen": ("admin_host", "admin_port"),
    "admin.names": ("admin_names",),
    "tls": ("tls",),
    "workers": ("workers",),
    "data_dir": ("data_dir",),
    "store": ("store",),
    "host": ("host",),
    "log.format": ("log_format",),
    "drain_seconds": ("drain_seconds",),
    "drain_grace_seconds": ("drain_grace_seconds",),
}


class Intent(Struct, frozen=True, kw_only=True):
    """What somebody wants, as versions and the audit log tell it."""

    caller: Caller
    action: str
    why: str = ""
    target: str = ""


class Draft(Struct, frozen=True, kw_only=True):
    """What a new version says of itself beside its contents, author and reason."""

    source: Source
    revision: int | None = None
    restored: int | None = None
    undone: int | None = None
    route: str | None = None


class InForce(Struct, frozen=True, kw_only=True):
    """What is in force; never changed, only replaced whole."""

    version: Version
    declared: Declared  # its routing is that of the version
    settings: Settings

    @classmethod
    def of(cls, version: Version, declared: Declared, launched: Settings) -> "InForce":
        """Return what `declared`, a configuration that has the version's routing, comes to."""
        wanted = declared.settings(version.number)
        return cls(version=version, declared=declared, settings=kept(launched, wanted))

    @property
    def contents(self) -> Contents:
        """The routing."""
        return contents_of(self.version)


def written(
    parent: Version | None, declared: Declared, intent: Intent, draft: Draft, at: float
) -> Version:
    """Return the version after `parent` with the routing of `declared`."""
    contents = declared.contents
    return Version(
        number=1 if parent is None else parent.number + 1,
        parent=None if parent is None else parent.number,
        digest=digest(contents),
        contents=canonical(contents),
        source=draft.source,
        who=intent.caller.name,
        why=intent.why,
        at=at,
        revision=draft.revision,
        restored=draft.restored,
        undone=draft.undone,
        route=draft.route,
    )


def kept(launched: Settings, wanted: Settings) -> Settings:
    """Return what of `wanted` a turnout that was launched on `launched` can put in force."""
    members = [member for names in FIXED.values() for member in names]
    return replace(
        wanted,
        **{member: getattr(launched, member) for member in members},
        origin=launched.origin,
        data_plane=replace(wanted.data_plane, workers=launched.workers),
    )


def restart_needed(launched: Settings, wanted: Settings) -> tuple[str, ...]:
    """Return the names of the settings that differ, and take effect after a restart only."""
    if wanted.workers == AUTO:
        wanted = replace(wanted, workers=available_cpus())
    return tuple(
        name
        for name, members in FIXED.items()
        if any(getattr(launched, member) != getattr(wanted, member) for member in members)
    )
