"""The demo from its first line to its last: start the parts, show them, end them, judge.

Everything it makes lives in one temporary folder and in tasks and one process of its own; it is
all gone when `run_demo` returns, however it ends.
"""

import asyncio
import contextlib
import logging
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import httpx2
from msgspec import Struct
from rich.console import Console
from rich.live import Live

from proxy.demo import view
from proxy.demo.character import BASE, FINE_TUNE
from proxy.demo.figures import Figures
from proxy.demo.model import ModelServer
from proxy.demo.process import DemoError, Turnout, configuration, pick_port, start_turnout
from proxy.demo.traffic import Traffic

ROUTE = "support"
SPLIT = {"base": 70, "ft-v2": 30}
CHARACTERS = {"base": BASE, "ft-v2": FINE_TUNE}
SECONDS_WITHOUT_TERMINAL = 20.0
SECONDS_TO_FINISH = 12.0  # longer than the slowest reply
REFRESH_SECONDS = 0.5
PROGRESS_SECONDS = 4.0
ENOUGH = 50  # requests after which each variant must have had some
SEED = 20


class Options(Struct, frozen=True, kw_only=True):
    """What the command line says; None is for the demo to choose."""

    seconds: float | None = None
    rate: float = 6.0
    port: int | None = None
    admin_port: int | None = None
    plain: bool = False


class Demo:
    """A demo whose parts all run."""

    def __init__(
        self,
        turnout: Turnout,
        stage: view.Stage,
        traffic: Traffic,
        client: httpx2.AsyncClient,
        trouble: str | None,
    ) -> None:
        self._turnout = turnout
        self._client = client
        self.stage = stage
        self.traffic = traffic
        self.trouble = trouble  # why it can't begin
        self.figures = Figures(list(SPLIT))

    async def listen(self) -> None:
        """Read turnout's log until it ends."""
        async for line in self._turnout.lines():
            self.figures.read_line(line)

    async def listen_a_moment(self) -> None:
        """Read what turnout said before it failed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.listen()

    async def scrape(self) -> None:
        """Read turnout's metrics once."""
        text = await self._turnout.metrics(self._client)
        if text is not None:
            self.figures.read_metrics(text)

    async def settle(self) -> None:
        """Wait until turnout has counted what the clients saw answered, for a moment at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3):
                await self.scrape()
                while self._uncounted():
                    await asyncio.sleep(0.2)
                    await self.scrape()

    def _uncounted(self) -> bool:
        answered = self.traffic.statuses.total()
        return min(self.figures.counted.total(), self.figures.logged.total()) < answered

    def complaints(self) -> list[str]:
        """Return what turnout did not do, where it should have."""
        figures, traffic = self.figures, self.traffic
        checks = {
            "turnout ended by itself": self._turnout.ended,
            "no request was answered": not traffic.statuses[200],
            "a variant got no request": traffic.sent >= ENOUGH
            and not all(variant.requests for variant in figures.variants.values()),
            "a user was moved between variants": any(
                len(seen) > 1 for seen in traffic.variants.values()
            ),
            "turnout failed by its own fault": bool(figures.counted["proxy_error"]),
            "clients saw replies break": bool(traffic.broken),
            "metrics and clients disagree": figures.counted.total() < traffic.statuses.total(),
            "metrics and log disagree": figures.counted != figures.logged,
            "an alert was counted and not logged, or the reverse": (
                figures.alerts.total() != figures.alerts_logged
            ),
        }
        return [complaint for complaint, so in checks.items() if so]


def run_demo(options: Options, console: Console) -> int:
    """Run the demo until its time is up or it is interrupted; return the exit code."""
    logging.getLogger("uvicorn").setLevel(
        logging.CRITICAL
    )  # the models' server, when it is cut off
    try:
        return asyncio.run(_run(options, console))
    except DemoError as error:
        console.print(f"The demo can't run: {error}", style="red", highlight=False)
        return 1


async def _run(options: Options, console: Console) -> int:
    shown_live = console.is_terminal and not options.plain
    seconds = options.seconds
    if seconds is None and not console.is_terminal:
        seconds = SECONDS_WITHOUT_TERMINAL
    interrupted = _signals()
    async with _demo(options, interrupted) as demo:
        if demo.trouble is not None:
            await demo.listen_a_moment()
            say(console, [*demo.figures.other_lines, f"PROBLEM: {demo.trouble}"])
            return 1
        say(console, view.opening(demo.stage))
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(demo.traffic.run())
            showing = group.create_task(_show(demo, console, live=shown_live))
            ended_early = await _wait(interrupted, showing, seconds)
            if ended_early:
                asking.cancel()
            else:
                await _finish(demo, asking)
            await demo.settle()
            showing.cancel()
        say(console, view.summary(demo.figures, demo.stage))
        if interrupted.is_set():
            return 0
        complaints = demo.complaints()
        if not ended_early and not complaints:
            say(console, ["turnout did its job."])
            return 0
        say(console, [f"PROBLEM: {complaint}" for complaint in complaints])
        say(console, list(demo.figures.other_lines))
        return 1


def say(console: Console, lines: list[str]) -> None:
    """Print lines as they are, unwrapped, so that commands can be copied."""
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _signals() -> asyncio.Event:
    """Return an event that is set when the demo is told to end."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


async def _wait(told: asyncio.Event, showing: asyncio.Task[None], seconds: float | None) -> bool:
    """Wait for the time to be up; return True where something else came first."""
    waiting = asyncio.ensure_future(told.wait())
    done, _ = await asyncio.wait(
        {waiting, showing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
    )
    waiting.cancel()
    return bool(done)


async def _finish(demo: Demo, asking: asyncio.Task[None]) -> None:
    demo.traffic.finish()
    _, unanswered = await asyncio.wait({asking}, timeout=SECONDS_TO_FINISH)
    if unanswered:
        demo.traffic.broken["not answered in time"] += 1
        asking.cancel()


async def _show(demo: Demo, console: Console, *, live: bool) -> None:
    """Show the figures as they change; return when turnout's output ends."""
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(demo.listen())
        watching = group.create_task(_watch(demo, console) if live else _tell(demo, console))
        await listening
        watching.cancel()


async def _watch(demo: Demo, console: Console) -> None:
    with Live(console=console, auto_refresh=False, screen=False) as screen:
        while True:
            await demo.scrape()
            screen.update(view.live(demo.figures, demo.stage), refresh=True)
            await asyncio.sleep(REFRESH_SECONDS)


async def _tell(demo: Demo, console: Console) -> None:
    told = 0
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        await demo.scrape()
        new = demo.figures.alerts_logged - told
        told += new
        alerts = list(demo.figures.latest_alerts)[-new:] if new else []
        say(console, [view.alert_line(alert) for alert in alerts])
        say(console, [view.progress(demo.figures)])


@contextlib.asynccontextmanager
async def _demo(options: Options, told: asyncio.Event) -> AsyncIterator[Demo]:
    """Yield a demo whose parts run, and end them all."""
    dice = Random(SEED)  # noqa: S311  # a demo, no secrets
    models = {name: ModelServer(person, dice) for name, person in CHARACTERS.items()}
    ports = pick_port(options.port, 8000), pick_port(options.admin_port, 8001)
    upstreams = {name: (m.base_url, CHARACTERS[name].name) for name, m in models.items()}
    config = configuration(upstreams, ROUTE, SPLIT, ports)
    with tempfile.TemporaryDirectory(prefix="turnout-demo-") as folder:
        async with (
            asyncio.TaskGroup() as group,
            httpx2.AsyncClient(timeout=5.0, trust_env=False) as client,
        ):
            for model in models.values():
                group.create_task(model.run_until_told())
            turnout = await start_turnout(Path(folder), config, ports)
            try:
                trouble = await turnout.wait_until_ready(client, told)
                stage = view.Stage(
                    url=turnout.url,
                    admin_url=turnout.admin_url,
                    config=str(Path(folder) / "turnout.yaml"),
                    route=ROUTE,
                    split=SPLIT,
                )
                traffic = Traffic(turnout.url, ROUTE, options.rate, dice)
                yield Demo(turnout, stage, traffic, client, trouble)
            finally:
                await turnout.end()
                for model in models.values():
                    model.should_exit = True
