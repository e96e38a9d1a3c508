"""Views: what control holds, as the models that are shown. Nothing here decides or changes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from proxy import __version__
from proxy.alerting.notice import runbook
from proxy.alerting.windows import noticed
from proxy.controlplane.admin import models
from proxy.controlplane.admin.lately import SECONDS, Kind, Seen
from proxy.controlplane.fleet import Fleet, Pool, Worker, on_table
from proxy.controlplane.publishing.change import Published, Reloaded
from proxy.controlplane.watching.watching import Shown
from proxy.pricing import Standing
from proxy.rollout import AuditEntry, Contents, Difference, Version, contents_of
from proxy.rollout.shares import shares, weights
from proxy.rollout.spread import Host, Reach, state, why_late
from proxy.routing import Explanation
from proxy.routing.table import Shadow

SHADOW = Shadow(variant="", percent=0.0)


def moment(at: float) -> datetime:
    """Return seconds since the epoch as a moment."""
    return datetime.fromtimestamp(at, UTC)


def routes(contents: Contents, only: str | None = None) -> list[models.RouteState]:
    """Return the routes of `contents`, or one of them."""
    found = contents.get("routes", {}).items()
    return [route(name, said) for name, said in found if only in (None, name)]


def route(name: str, said: dict[str, Any]) -> models.RouteState:
    """Return one route of contents as it works."""
    share, weight = shares(said), weights(said)
    return models.RouteState(
        name=name,
        sticky=said.get("sticky", "user"),
        variants=[
            models.VariantState(
                name=variant,
                upstream=each["upstream"],
                model=each.get("model"),
                weight=weight[variant],
                share=share[variant] / 100,
                baseline=place == 0,
                off=each.get("off", False),
            )
            for place, (variant, each) in enumerate(said["variants"].items())
        ],
        fallback=said.get("fallback", []),
        pins=len(said.get("pins", {})),
        shadow=shadow(said.get("shadow")),
    )


def shadow(said: dict[str, Any] | None) -> models.ShadowState | None:
    """Return a route's shadow with the budgets that it has by default."""
    if said is None:
        return None
    return models.ShadowState(
        variant=said["variant"],
        percent=said["percent"],
        timeout_seconds=said.get("timeout_seconds", SHADOW.timeout),
        concurrency=said.get("concurrency", SHADOW.concurrency),
    )


def line(version: Version, current: int) -> models.VersionLine:
    """Return a version without its contents; `current` is in force."""
    return models.VersionLine.model_validate(_version(version, current))


def whole(version: Version, current: int) -> models.WholeVersion:
    """Return a version with its contents."""
    said = _version(version, current)
    return models.WholeVersion.model_validate(said | {"contents": contents_of(version)})


def _version(version: Version, current: int) -> dict[str, Any]:
    said = {name: getattr(version, name) for name in version.__struct_fields__}
    return said | {"at": moment(version.at), "in_force": version.number == current}


def difference(found: Difference) -> models.Difference:
    """Return one place that differs; what stands nowhere is not set."""
    return models.Difference.model_validate(msgspec.to_builtins(found))


def entry(found: AuditEntry) -> models.AuditLine:
    """Return a line of the audit log."""
    said = {name: getattr(found, name) for name in found.__struct_fields__}
    return models.AuditLine.model_validate(said | {"at": moment(found.at)})


def reading(last: Reloaded | None) -> models.LastReading | None:
    """Return the last reading of the file."""
    if last is None:
        return None
    return models.LastReading(
        at=moment(last.at),
        result=last.result,
        problems=list(last.problems),
        restart_needed=list(last.restart_needed),
    )


def status(
    *,
    fleet: Fleet,
    version: Version,
    hosts: list[models.HostStatus],
    last: Reloaded | None,
    degraded: Sequence[str],
    alerts: Sequence[tuple[Kind, Seen]],
    firing: list[models.AlertState],
    budgets: Sequence[Standing] = (),
) -> models.Status:
    """Return the state of this turnout, `version` being in force."""
    workers = list(fleet.workers.values())
    account = fleet.account
    return models.Status(
        version=__version__,
        degraded=list(degraded),
        table=models.Table(
            version=version.number,
            digest=version.digest,
            workers=on_table(workers, version.number),
            source=version.source.value,
            who=version.who,
            why=version.why,
            at=moment(version.at),
        ),
        routes=routes(contents_of(version)),
        hosts=hosts,
        workers=[worker(each) for each in workers],
        restarts=dict(fleet.restarts),
        exchanges=models.Exchanges(
            begun=account.begun,
            taken=account.taken,
            dropped=account.dropped,
            lost=account.lost,
            in_flight=fleet.in_flight,
        ),
        upstreams=[upstream(each) for each in fleet.upstreams],
        firing=firing,
        alerts=counted(alerts),
        alert_seconds=SECONDS,
        budgets=[budget(each) for each in budgets],
        reading=reading(last),
    )


def counted(alerts: Sequence[tuple[Kind, Seen]]) -> list[models.AlertCount]:
    """Return how often alerts on single exchanges were raised lately."""
    return [
        models.AlertCount(**kind._asdict(), count=seen.times, last=moment(seen.last))
        for kind, seen in alerts
    ]


def alert(shown: Shown, runbooks: str | None) -> models.AlertState:
    """Return an alert over a window as it stands; pages on alerts are below `runbooks`."""
    standing, silence = shown.standing, shown.silence
    notice = noticed(standing)
    same = ("route", "variant", "about", "value", "threshold", "unit", "count", "sentence")
    return models.AlertState(
        alert=notice.name,
        state=standing.phase.value,
        **{name: getattr(notice, name) for name in same},
        began_at=moment(standing.began_at),
        fired_at=None if standing.fired_at is None else moment(standing.fired_at),
        ended_at=None if standing.ended_at is None else moment(standing.ended_at),
        request_ids=list(notice.request_ids),
        runbook=runbook(notice.name, runbooks),
        silence=None if silence is None else silence.number,
        silenced_until=None if silence is None else moment(silence.ends_at),
    )


def hosts(own: Host, others: Sequence[Host]) -> list[models.HostStatus]:
    """Return the hosts by name, held against the newest version that any of them has."""
    known = [own, *others]
    newest = max(each.version for each in known)
    return [
        models.HostStatus(
            name=each.name,
            here=each is own,
            state=state(each, newest).value,
            version=each.version,
            workers=each.workers,
            in_force=each.in_force,
            release=each.release,
            started_at=moment(each.started_at),
            unseen_seconds=round(each.unseen, 1),
            trouble=each.trouble or why_late(each, newest),
        )
        for each in sorted(known, key=lambda each: each.name)
    ]


def reached(found: Reach | None) -> models.Reach | None:
    """Return on how many hosts a version is in force."""
    if found is None:
        return None
    return models.Reach(
        in_force=found.hosts,
        of=found.of,
        milliseconds=round(found.milliseconds, 3),
        late=[models.LateHost(name=each.name, why=each.why) for each in found.late],
    )


def budget(found: Standing) -> models.BudgetState:
    """Return how a budget stands."""
    said, ends = msgspec.structs.asdict(found.budget), moment(found.ends)
    return models.BudgetState(**said, spent_usd=found.spent, ends=ends, stopped=found.stopped)


def worker(found: Worker) -> models.WorkerStatus:
    """Return a worker as of its last report."""
    return models.WorkerStatus(
        number=found.number,
        pid=found.pid,
        version=found.turnout,
        table_version=found.table_version,
        in_flight=found.in_flight,
        connections=found.connections,
    )


def upstream(pool: Pool) -> models.UpstreamStatus:
    """Return an upstream as all workers see it."""
    return models.UpstreamStatus(
        name=pool.name,
        open=pool.open,
        idle=pool.idle,
        waiting=pool.waiting,
        ejected_by=pool.ejected,
        requests=pool.requests,
        retries=pool.retries,
        ejections=pool.ejections,
        connect_failures=pool.connect_failures,
    )


def explained(told: Explanation, version: int | None) -> models.Explained:
    """Return an explanation by the routing `version`; None: of a file, which has none yet."""
    said = msgspec.to_builtins(told)
    copied = None
    if told.shadow is not None:
        copied = {**said["shadow"], "timeout_seconds": told.shadow.timeout}
    return models.Explained.model_validate({**said, "shadow": copied, "version": version})


def published(found: Published, only: str | None) -> models.Published:
    """Return what came of a change of the route `only`, or of several."""
    return models.Published(
        version=found.version.number,
        changed=found.changed,
        restored=found.version.restored if found.changed else None,
        workers=found.workers,
        of=found.of,
        milliseconds=round(found.milliseconds, 3),
        late=list(found.late),
        hosts=reached(found.reach),
        routes=routes(contents_of(found.version), only),
    )


def reloaded(found: Reloaded) -> models.Reloaded:
    """Return what came of reading the file again."""
    pushed = found.pushed
    return models.Reloaded(
        result=found.result,
        version=found.version.number,
        problems=list(found.problems),
        restart_needed=list(found.restart_needed),
        workers=pushed.workers if pushed else None,
        of=pushed.of if pushed else None,
        milliseconds=round(pushed.milliseconds, 3) if pushed else None,
        late=list(pushed.late) if pushed else [],
        hosts=reached(pushed.reach) if pushed else None,
    )
