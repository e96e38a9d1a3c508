"""A stage: a whole turnout in which all happens that boards show, and a real Prometheus.

    async with stage(folder) as (turnout, scraper):
        async with traffic(turnout):
            ... ask the scraper ...

Three of the demo's models answer, the fourth upstream is down; replies are short, refused or too
long; alerts and spans are posted, costs add up to a budget, one variant gets shadows. `quick`:
models hurry, and their mishaps come soon. `many` adds a route with so many variants.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from msgspec.structs import replace

from proxy.demo.character import BASE, FINE_TUNE, NEVER, Character, Every
from proxy.demo.model import ModelServer
from proxy.demo.traffic import Traffic
from tests.support.patience import pace
from tests.support.prometheus import Scraper, prometheus
from tests.support.raw_traffic import chat, pipeline
from tests.support.scripted_upstream import refusing_port, scripted_upstream
from tests.support.served import Served, served

NEW = replace(FINE_TUNE, name="support-ft-8b-v3", sentences=2, refusing=Every(9, 20))
CAST = {"hosted": BASE, "vllm": FINE_TUNE, "vllm-new": NEW}
RATES = {"support": 7.0, "summaries": 2.0, "extract": 2.0}  # requests a second
HURRY = 10  # times as quick, where it must be
SCRAPE_SECONDS = 1.0  # on a busy machine a scrape may take a while
SEED = 21


@asynccontextmanager
async def stage(
    folder: Path, *, quick: bool = False, many: int = 0
) -> AsyncIterator[tuple[Served, Scraper]]:
    """Run models, turnout and Prometheus in `folder`; all of it is gone at the end."""
    dice = Random(SEED)
    people = {name: hurried(each) if quick else each for name, each in CAST.items()}
    models = {name: ModelServer(each, dice) for name, each in people.items()}
    async with asyncio.TaskGroup() as group:
        for model in models.values():
            group.create_task(model.run_until_told())
        try:
            with refusing_port() as nobody:
                async with scripted_upstream() as hook:
                    urls = {name: model.base_url for name, model in models.items()}
                    urls["spare"] = f"http://127.0.0.1:{nobody}/v1"
                    if many:
                        urls["plain"] = f"http://127.0.0.1:{hook.port}/v1"
                    config = configuration(urls, hook.port, quick=quick, many=many)
                    async with (
                        served(folder, config) as turnout,
                        prometheus(folder, turnout.admin_port, SCRAPE_SECONDS) as scraper,
                    ):
                        yield turnout, scraper
        finally:
            for model in models.values():
                model.should_exit = True


def hurried(person: Character) -> Character:
    """Return a character that is quick, and whose mishaps come soon."""
    return replace(
        person,
        first_token=person.first_token / HURRY,
        per_token=person.per_token / HURRY,
        slow=NEVER,
        short=Every(2, 7),
        failing=Every(3, 7),
        refusing=Every(4, 7),
    )


def configuration(urls: dict[str, str], hook: int, *, quick: bool, many: int) -> str:
    """Return turnout's configuration, `urls` being those of the upstreams."""
    hosted = {"upstream": "hosted", "model": "base-70b", "prices": {"input": 2.5, "output": 10}}
    tuned = {"upstream": "vllm", "model": "support-ft-8b", "prices": {"input": 0.2, "output": 0.8}}
    newer = {**tuned, "upstream": "vllm-new", "model": "support-ft-8b-v3"}
    routes = {
        "support": {
            "variants": {"base": hosted, "ft-v2": tuned, "ft-v3": newer},
            "split": {"base": 60, "ft-v2": 40, "ft-v3": 0},
            "shadow": {"variant": "ft-v3", "percent": 30},
            "budget": {"usd": 0.6, "per": "month"},
            "store": {"bodies": "on"},
        },
        "summaries": {
            "variants": {"base": hosted, "ft-v1": {**tuned, "upstream": "spare"}},
            "split": {"base": 80, "ft-v1": 20},
            "fallback": ["base"],
        },
        "extract": {
            "variants": {"base": hosted, "ft-v2": tuned},
            "split": {"base": 50, "ft-v2": 50},
            "format": {"max_chars": 160},
        },
    }
    if many:
        names = [f"v{number:02}" for number in range(many)]
        routes["many"] = {
            "variants": {name: {**tuned, "upstream": "plain"} for name in names},
            "split": dict.fromkeys(names, 1),
        }
    beside = f"http://127.0.0.1:{hook}"
    notify = {"webhook": {"url": f"{beside}/alerts"}}
    settings = {
        "workers": 2,
        "upstreams": {name: {"base_url": url} for name, url in urls.items()},
        "routes": routes,
        "alerts": {"slow": {"latency_ms": 200 if quick else 5000}, "notify": notify},
        "tracing": {"endpoint": beside},
    }
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())


@asynccontextmanager
async def traffic(turnout: Served, hurry: float = 1) -> AsyncIterator[None]:
    """Let clients ask every route, `hurry` times as often; some leave, some ask nonsense."""
    url, dice = f"http://127.0.0.1:{turnout.port}", Random(SEED)
    asking = [Traffic(url, route, rate * hurry, dice) for route, rate in RATES.items()]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each.run()) for each in asking]
        tasks.append(group.create_task(odd_ones(turnout, 2.0 / hurry)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def odd_ones(turnout: Served, seconds: float) -> None:
    """Be a client that asks for what there is not, and one that leaves, again and again."""
    while True:
        with contextlib.suppress(OSError):
            await pipeline(turnout.port, [chat("nonsense")])
            _, writer = await asyncio.open_connection("127.0.0.1", turnout.port)
            try:
                writer.write(chat("support", stream=True))
                await pace(seconds / 20)
            finally:
                writer.transport.abort()
        await pace(seconds)
