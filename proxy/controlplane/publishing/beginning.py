"""The beginning: what a control process that starts finds to put in force.

A file that is bad is replaced by the last good one, and turnout runs degraded. The version in
force is the last that was kept, also where a crash came between its append and its push, unless
the file declares another: so a restart changes nothing, and a change of the file is not missed.
Of an outdated file nothing is taken, as long as there is a last good one instead.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import structlog
from msgspec import Struct
from msgspec.structs import replace

from proxy.config.settings import Origin, Settings
from proxy.controlplane.publishing.change import Caller, Reloaded, Result, Unavailable
from proxy.controlplane.publishing.configuration.reading import Declared, Reading, told
from proxy.controlplane.publishing.history import History
from proxy.controlplane.publishing.in_force import Draft, InForce, Intent, restart_needed, written
from proxy.errors import ConfigError, Conflict
from proxy.rollout import Source, Verdict, Version, contents_of, digest, judge

TRIES = 5  # to begin while others do
RESULTS: dict[Verdict, Result] = {
    Verdict.PUBLISH: "published",
    Verdict.UNCHANGED: "unchanged",
    Verdict.OUTDATED: "outdated",
}


class First(Struct, frozen=True, kw_only=True):
    """A configuration to start on, and what is wrong with the file as it stands."""

    declared: Declared
    problems: tuple[str, ...] = ()  # some: it is the last good one


class Beginning(Struct, frozen=True, kw_only=True):
    """What is in force at first, and what came of the reading."""

    in_force: InForce
    reloaded: Reloaded
    read: str  # the digest of what the file says
    newest: Version  # that is kept; another one than the one in force does not fit here
    misfit: tuple[str, ...] = ()  # why not


def first(reading: Reading) -> First:
    """Return what there is to start on; ConfigError: the file is bad, and no other was kept."""
    try:
        return First(declared=reading.read())
    except ConfigError as error:
        good = reading.last_good()
        if good is None:
            raise
        return First(declared=good, problems=told(error))


def starting(
    origin: Origin, environ: Mapping[str, str], *, strict: bool
) -> tuple[Settings, tuple[str, ...]]:
    """Return what all of turnout starts on, and what is wrong with the file that it is not.

    ConfigError: the file is bad, and no other was kept, or `strict` forbids to start on that; or
    there is no such file, which is no bad file but a wrong name.
    """
    reading = Reading(origin, environ)
    missing = origin.file is not None and not Path(origin.file).exists()
    found = First(declared=reading.read()) if strict or missing else first(reading)
    settings = replace(found.declared.settings(1), origin=origin)
    if found.problems:
        settings = replace(settings, data_dir=reading.data_dir())
    return settings, found.problems


async def begin(
    first: First,
    reading: Reading,
    history: History,
    launched: Settings,
    at: float,
    *,
    alone: bool = True,
) -> Beginning:
    """Return what is to be in force, appended where it is new; Unavailable: the store is not.

    `launched` are the settings that this turnout was started on, `at` is seconds since the epoch.
    Not `alone`, while another turnout takes over, the last version stays.
    """
    for _ in range(TRIES):
        with suppress(Conflict):  # others began meanwhile: what they made of it counts
            return await _begin(first, reading, history, launched, at, alone=alone)
    raise Unavailable("others publish all the time; start turnout again")


async def _begin(
    first: First,
    reading: Reading,
    history: History,
    launched: Settings,
    at: float,
    *,
    alone: bool,
) -> Beginning:
    """Return what is to be in force; Conflict: others published meanwhile."""
    read = digest(first.declared.contents)
    shared = shares(launched)

    def beginning(
        version: Version, chosen: First, result: Result, newest: Version, *misfit: str
    ) -> Beginning:
        wanted = chosen.declared.settings(version.number)
        reloaded = Reloaded(
            result="rejected" if chosen.problems else result,
            version=version,
            at=at,
            problems=chosen.problems,
            restart_needed=restart_needed(launched, wanted),
        )
        in_force = InForce.of(version, chosen.declared, launched)
        return Beginning(
            in_force=in_force, reloaded=reloaded, read=read, newest=newest, misfit=misfit
        )

    latest, from_file = await history.ends()
    declared = first.declared
    good = await asyncio.to_thread(reading.last_good) if shared else None
    before = None if good is None else digest(good.contents)
    old = shared and await outdated(history, read, before)
    verdict = await verdict_on(declared, from_file, history, old=old)
    why = "first start"
    if latest is not None:
        why = "changed while turnout did not run"
        if first.problems or not alone or verdict is not Verdict.PUBLISH:
            if verdict is Verdict.OUTDATED and not first.problems:
                first = await asyncio.to_thread(_instead, first, reading)
            fitting = await asyncio.to_thread(_fitting, first, latest, reading)
            if fitting is not None:
                return beginning(latest, fitting, RESULTS[verdict], latest)
            if shared or verdict is Verdict.OUTDATED:
                version, fitting = await _last_fitting(first, latest, reading, history)
                misfit = told_of(first, latest)
                return beginning(version, fitting, RESULTS[verdict], latest, *misfit)
            why = f"version {latest.number} does not fit the upstreams and keys there are now"
    caller = Caller(name="file", origin=reading.name)
    draft = Draft(source=Source.FILE, revision=declared.revision)
    intent = Intent(caller=caller, action="start", why=why)
    version = written(latest, declared, intent, draft, at)
    await history.append(version)
    return beginning(version, first, "published", version)


async def verdict_on(
    declared: Declared, from_file: Version | None, history: History, *, old: bool
) -> Verdict:
    """Return what becomes of a file's routing; its revision is remembered, also of no change."""
    revision, seen = declared.revision, await history.revision()
    verdict = judge(from_file, digest(declared.contents), revision, seen=seen, old=old)
    if verdict is Verdict.UNCHANGED and revision is not None and seen is None:
        await history.note_revision(revision)
    return verdict


async def outdated(history: History, read: str, before: str | None) -> bool:
    """Return whether a file that says `read` may be an outdated copy, on one of several hosts.

    `before` is what was read here last: the same again is no change. None: nothing was, so what a
    file has said once, on whichever host, may be an old copy; the last one is none.
    """
    return read == before if before is not None else await history.was_from_file(read)


def shares(launched: Settings) -> bool:
    """Return whether other hosts may have the same store."""
    return launched.store is not None and launched.store.url is not None


async def _last_fitting(
    first: First, latest: Version, reading: Reading, history: History
) -> tuple[Version, First]:
    """Return the last version that fits; Unavailable: none of the last ones does."""
    for version in await history.last_ones():
        fitting = await asyncio.to_thread(_fitting, first, version, reading)
        if fitting is not None:
            return version, fitting
    raise Unavailable(
        f"neither version {latest.number} nor one of those before it fits {reading.name}: give it "
        "the upstreams that other hosts have"
    )


def told_of(first: First, version: Version) -> tuple[str, ...]:
    """Return why `version` does not fit the file."""
    try:
        first.declared.routed(contents_of(version))
    except ConfigError as error:
        return told(error)
    return ()


def _instead(outdated: First, reading: Reading) -> First:
    """Return the last good configuration in the place of an outdated file, where there is one."""
    good = reading.last_good()
    if good is not None:
        return First(declared=good)
    structlog.get_logger().warning(
        "started on an outdated file, for no last good one was kept",
        file=reading.name,
        reason="its upstreams, keys, limits and alerts are in force: bring it up to date",
    )
    return outdated


def _fitting(first: First, version: Version, reading: Reading) -> First | None:
    """Return a configuration that the routing of `version` fits: the file's, or the last good."""
    contents = contents_of(version)
    try:
        return First(declared=first.declared.routed(contents), problems=first.problems)
    except ConfigError as error:
        problems = misfits(version, error)
    good = None if first.problems else reading.last_good()
    if good is None:
        return None
    try:
        return First(declared=good.routed(contents), problems=problems)
    except ConfigError:
        return None


def misfits(version: Version, error: ConfigError) -> tuple[str, ...]:
    """Return why a configuration does not fit the version in force, a line each."""
    whose = f"version {version.number}, which is in force, does not fit the file"
    return tuple(f"{whose}: {problem}" for problem in told(error))
