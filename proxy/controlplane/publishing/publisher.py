"""The publisher: one change at a time, from its check to its answer.

    check -> append -> push to every worker -> every worker acknowledges -> answer

The append is the commit point. A change that was appended is in force, or will be as soon as
there is somebody to push it: control starts on the last version that was kept. Others may append
too: what they did is put in force here as well, before anything is changed on top of it. It knows
neither where versions are kept, nor how a file is read, nor how workers are reached.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

import structlog
from msgspec.structs import asdict, replace

from proxy.config.settings import DataPlane, Settings
from proxy.controlplane.publishing.beginning import (
    RESULTS,
    Beginning,
    misfits,
    outdated,
    shares,
    verdict_on,
)
from proxy.controlplane.publishing.change import (
    Caller,
    Misfit,
    Published,
    Pushed,
    Reloaded,
    Stale,
    Unavailable,
    Unknown,
)
from proxy.controlplane.publishing.configuration.reading import Declared, Reading, told
from proxy.controlplane.publishing.configuration.standing import Standing
from proxy.controlplane.publishing.history import History
from proxy.controlplane.publishing.in_force import (
    Draft,
    InForce,
    Intent,
    restart_needed,
    written,
)
from proxy.controlplane.publishing.turns import Turns, Work
from proxy.errors import ChangeError, ConfigError, Conflict, Missing
from proxy.rollout import (
    AuditEntry,
    Contents,
    Source,
    Verdict,
    Version,
    contents_of,
    digest,
)
from proxy.rollout.changes import restore
from proxy.rollout.spread import Reach

Push = Callable[[DataPlane], Awaitable[Pushed]]
Change = Callable[[Contents], Contents]
READ_SECONDS = 10.0  # for the file's system to give it out
TRIES = 5  # to put a file in force while others publish


class Others(Protocol):
    """The other hosts that share the store."""

    def moved(self) -> None:
        """Have them told that another version is in force here."""
        ...

    async def reached(self, version: int) -> Reach | None:
        """Wait, but not for long, until they have it in force, too; None: there are none."""
        ...


class Publisher:
    """Changes what is in force, for everybody who may.

    `push` brings settings to every worker and tells how far it came; `adopt` puts them in force
    in this process. `clock` is monotonic seconds, `wall` seconds since the epoch.
    """

    def __init__(
        self,
        beginning: Beginning,
        *,
        history: History,
        reading: Reading,
        standing: Standing,
        launched: Settings,
        push: Push,
        others: Others,
        adopt: Callable[[Settings], None],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.standing = standing
        self._beginning = beginning
        self._now = beginning.in_force
        self._newest = beginning.newest  # that is kept; another one than `_now` does not fit here
        self._read = beginning.read  # the digest of what the file said when it was read last
        self._open: tuple[Intent, Version] | None = None  # not known whether it was kept
        self._history = history
        self._reading = reading
        self._launched = launched
        self._shared = shares(launched)
        self._push = push
        self._others = others
        self._adopt = adopt
        self._clock = clock
        self._wall = wall
        self._turns = Turns(history, wall)
        self._reader = ThreadPoolExecutor(1, "configuration")  # all that a hung mount keeps busy

    @property
    def current(self) -> Version:
        """The version in force."""
        return self._now.version

    @property
    def settings(self) -> Settings:
        """All settings in force."""
        return self._now.settings

    async def open(self) -> None:
        """Put in force and tell what turnout begins with; to be called once, before all else."""
        began = self._beginning
        self._adopt(self.settings)
        self.standing.note(began.reloaded)
        if began.misfit:
            self.standing.note_misfit(self._newest, began.misfit)
        if began.reloaded.result != "outdated":
            await self._keep(self._now.declared)
        if not await self._history.recorded(self.current.number):
            # Either it is new, or a crash came between its append and the answer.
            caller = Caller(name=self.current.who, origin="start")
            intent = Intent(caller=caller, action="start", why=self.current.why)
            detail = "in force from the start on"
            await self._turns.audit(intent, "done", detail, self.current.number)

    async def publish(
        self,
        change: Change,
        *,
        caller: Caller,
        why: str,
        source: Source,
        action: str,
        target: str = "",
        base: int | None = None,
    ) -> Published:
        """Put the routing that `change` makes of the one in force, in its place.

        `base` is the version that the change was made against; Stale, where another one is in
        force, Missing, where it is yet to come. ChangeError where the change can't be made,
        Misfit where the routing that it makes can't be served, Unavailable where it can't be
        kept. It is done, and audited, also where who asked does not wait for it.
        """
        intent = Intent(caller=caller, action=action, target=target, why=why)
        draft = Draft(source=source)
        return await self._timed(base, intent, lambda: self._publish(change, intent, draft))

    async def rollback(
        self,
        route: str | None,
        to: int | None,
        *,
        caller: Caller,
        why: str,
        base: int | None = None,
    ) -> Published:
        """Put the contents of an earlier version in force again, of `route` or (None) all.

        Without `to`, the last version that differs and was not itself rolled back from. Raises
        what `publish` does.
        """
        intent = Intent(caller=caller, action="rollback", target=route or "", why=why)
        return await self._timed(base, intent, lambda: self._rollback(route, to, intent))

    async def reload(self, caller: Caller) -> Reloaded:
        """Read the configuration again and put in force what a running turnout can change.

        A configuration with problems is rejected whole, and the answer lists them. Unavailable
        where a new version can't be kept.
        """
        why = f"{self._reading.name} changed"
        intent = Intent(caller=caller, action="reload", target=self._reading.name, why=why)
        return await self._turns.take(intent, lambda: self._reload(intent))

    async def record(self, entry: AuditEntry) -> None:
        """Keep an audit entry of a change that was refused before it came here."""
        await self._history.record(entry)

    @property
    def held(self) -> bool:
        """Whether every change is refused at present."""
        return bool(self._turns.held)

    def hold(self, why: str) -> None:
        """Refuse every change from now on, and say why."""
        self._turns.held = why

    async def catch_up(self) -> None:
        """Put in force what others have kept meanwhile; Unavailable: the store can't be read."""
        latest = await self._history.latest()
        if self._open is not None or (latest and latest.number > self._newest.number):
            async with self._turns.turn:
                if not self.held:
                    await self._catch_up()

    async def release(self) -> None:
        """Take changes again; what another turnout has kept meanwhile is put in force first."""
        self._turns.held = ""
        async with self._turns.turn:
            try:
                await self._resume()
            except ChangeError as error:  # whoever follows the store catches up once it answers
                log = structlog.get_logger()
                log.warning("what was kept meanwhile is not known yet", reason=str(error))

    async def close(self) -> None:
        """Finish what was begun, and take no more."""
        self.hold("turnout is about to end")
        await self._turns.over()
        self._reader.shutdown(wait=False, cancel_futures=True)

    # What is done in its turn

    async def _publish(self, change: Change, intent: Intent, draft: Draft) -> Published:
        """Put what `change` makes of the newest routing in force, unless it is so already.

        Where the newest does not fit here, what is made of it may: a rollback, say.
        """
        try:
            declared = self._now.declared.routed(change(contents_of(self._newest)))
        except ConfigError as error:
            problems = told(error)
            raise Misfit(f"this can't be served: {'; '.join(problems)}", problems) from error
        changed = digest(declared.contents) != self._newest.digest
        if changed:
            pushed = await self._commit(declared, intent, draft)
        else:
            pushed = await self._spread(await self._push(self.settings.data_plane))
        return Published(**asdict(pushed), version=self.current, changed=changed)

    async def _rollback(self, route: str | None, to: int | None, intent: Intent) -> Published:
        history = self._history
        latest = await history.latest()
        if latest is not None and latest.number > self._newest.number:
            raise await self._overtaken()  # one step back is from there, not from here
        target = await (history.target(route) if to is None else history.version(to))
        earlier = contents_of(target)
        draft = Draft(
            source=Source.ROLLBACK,
            restored=target.number,
            undone=self._newest.number,
            route=route,
        )
        return await self._publish(lambda now: restore(now, earlier, route), intent, draft)

    async def _resume(self) -> None:
        """Put in force what another turnout has kept, or where it does not fit, go back."""
        await self._catch_up()
        undone = self._newest.number
        if undone == self.current.number or self._shared:
            return
        caller = Caller(name="turnout", origin="takeover")
        why = f"version {undone} was for a turnout that did not take over"
        intent = Intent(caller=caller, action="resume", why=why)
        draft = Draft(source=Source.ROLLBACK, restored=self.current.number, undone=undone)
        await self._commit(self._now.declared, intent, draft)

    async def _catch_up(self) -> None:
        """Put in force what others have kept, where it fits."""
        if self._open is not None:
            await self._find_out(*self._open)
        latest = await self._history.latest()
        if latest is None or latest.number <= self._newest.number:
            return
        self._newest = latest
        try:
            declared = self._now.declared.routed(contents_of(latest))
        except ConfigError as error:
            self.standing.note_misfit(latest, told(error))
            return
        pushed = await self._put(InForce.of(latest, declared, self._launched))
        tell("routing followed", latest, pushed)

    async def _find_out(self, intent: Intent, version: Version) -> None:
        """Write down what came of a change whose answer from the store was lost."""
        number = version.number
        if await self._history.holds(version):
            detail = f"version {number} was kept after all, and is in force"
            await self._turns.audit(intent, "done", detail, number)
        else:
            await self._turns.audit(intent, "failed", "it was not kept: nothing was changed")
        self._open = None

    async def _not_made_against(self, base: int) -> ChangeError:
        """Return what to say to who wants a change against a version that is not in force."""
        last = self._newest.number
        if base > last:
            return Missing(f"there is no version {base}; the last one, in force, is {last}")
        return await self._stale(base)

    async def _stale(self, base: int) -> Stale:
        fits = self._newest is self.current
        return Stale(self._newest, await self._history.since(base), fits=fits)

    async def _overtaken(self) -> ChangeError:
        """Catch up with whoever published meanwhile; return what to say to who wanted to."""
        known = self._newest.number
        await self._catch_up()
        if self._newest.number > known:
            return await self._stale(known)
        return Unavailable(
            f"version {known} is in force, but the store has not kept it: it lost what it had. "
            "Nothing was changed; restore the store, or restart turnout to go on with what it has"
        )

    async def _reload(self, intent: Intent) -> Reloaded:
        try:
            declared = await self._read_file()
            reloaded = await self._take(declared, intent)
        except ConfigError as error:
            reloaded = Reloaded(
                result="rejected", version=self.current, at=self._wall(), problems=told(error)
            )
            self.standing.note(reloaded)
        except ChangeError:
            self._reading.forget()  # whoever watches the file tries again
            raise
        else:
            self.standing.note(reloaded)
            if reloaded.result != "outdated":
                await self._keep(declared)
        return reloaded

    async def _read_file(self) -> Declared:
        """Return what the file says; Unavailable: its system does not answer."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await loop.run_in_executor(self._reader, self._reading.read)
        except TimeoutError:
            raise Unavailable(
                f"{self._reading.name} could not be read within {READ_SECONDS:.0f} seconds, so "
                "nothing was changed; look at the file system that it is on"
            ) from None

    async def _take(self, declared: Declared, intent: Intent) -> Reloaded:
        """Put in force what of `declared` can be, also while others publish."""
        for _ in range(TRIES - 1):
            with suppress(Stale):
                return await self._try_to_take(declared, intent)
        return await self._try_to_take(declared, intent)

    async def _try_to_take(self, declared: Declared, intent: Intent) -> Reloaded:
        """Put in force what of `declared` can be: of an outdated one nothing.

        ConfigError: it does not fit the routing.
        """
        latest, from_file = await self._history.ends()
        if latest is not None and latest.number > self._newest.number:
            self._newest = latest
        read = digest(declared.contents)
        old = self._shared and await outdated(self._history, read, self._read)
        verdict = await verdict_on(declared, from_file, self._history, old=old)
        pushed = None
        if verdict is Verdict.PUBLISH:
            draft = Draft(source=Source.FILE, revision=declared.revision)
            pushed = await self._commit(declared, intent, draft)
        else:
            if verdict is Verdict.OUTDATED:
                declared = self._now.declared
            around = self._around(declared)
            if around.settings != self.settings:
                pushed = await self._put(around)
            self._now = around
            if around.version is self._newest:
                self.standing.note_fit()
        self._read = read
        wanted = declared.settings(self.current.number)
        return Reloaded(
            result=RESULTS[verdict],
            version=self.current,
            at=self._wall(),
            restart_needed=restart_needed(self._launched, wanted),
            pushed=pushed,
        )

    def _around(self, declared: Declared) -> InForce:
        """Return the newest version with another configuration around it, or the one in force."""
        if self._newest is not self.current:
            try:
                routed = declared.routed(contents_of(self._newest))
                return InForce.of(self._newest, routed, self._launched)
            except ConfigError as error:
                self.standing.note_misfit(self._newest, told(error))
        try:
            routed = declared.routed(self._now.contents)
        except ConfigError as error:
            raise ConfigError("misfit", problems=misfits(self.current, error)) from error
        return InForce.of(self.current, routed, self._launched)

    async def _commit(self, declared: Declared, intent: Intent, draft: Draft) -> Pushed:
        """Put `declared` in force as a new version; Stale: others published meanwhile."""
        version = written(self._newest, declared, intent, draft, self._wall())
        in_force = InForce.of(version, declared, self._launched)
        try:
            await self._history.append(version)
        except Conflict:
            raise await self._overtaken() from None
        except Unknown:
            self._open = intent, version
            raise
        pushed = await self._spread(await self._put(in_force))
        tell("routing published", version, pushed)
        return pushed

    async def _put(self, in_force: InForce) -> Pushed:
        self._now = in_force
        self._newest = in_force.version
        self.standing.note_fit()
        self._adopt(in_force.settings)
        pushed = await self._push(in_force.settings.data_plane)
        self._others.moved()
        return pushed

    async def _spread(self, pushed: Pushed) -> Pushed:
        """Return how far a push came once the other hosts have followed, or are late."""
        return replace(pushed, reach=await self._others.reached(self.current.number))

    async def _timed(self, base: int | None, intent: Intent, work: Work[Published]) -> Published:
        """Do `work`, made against version `base`; its time is counted from now."""
        began = self._clock()

        async def checked() -> Published:
            if base not in (None, self._newest.number):
                await self._catch_up()  # perhaps that version is another host's
            if base not in (None, self._newest.number):
                raise await self._not_made_against(base or 0)
            return await work()

        published = await self._turns.take(intent, checked)
        elsewhere = published.reach.milliseconds if published.reach else 0.0
        return replace(published, milliseconds=1000 * (self._clock() - began) - elsewhere)

    async def _keep(self, declared: Declared) -> None:
        """Keep the file as the last good one."""
        try:
            await asyncio.to_thread(self._reading.keep, declared)
        except OSError as error:
            log = structlog.get_logger()
            log.warning("last good configuration could not be kept", reason=error.strerror)


def tell(event: str, version: Version, pushed: Pushed) -> None:
    """Log that `version` is in force."""
    structlog.get_logger().info(
        event,
        table_version=version.number,
        source=version.source.value,
        who=version.who,
        why=version.why,
        workers=pushed.workers,
        of=pushed.of,
        late=pushed.late,
        milliseconds=round(pushed.milliseconds, 1),
    )
