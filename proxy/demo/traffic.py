"""Traffic: a handful of users who keep asking, streaming and not, as openai clients would.

It remembers what the clients themselves saw, to be held against what turnout says. It knows
one URL and one route.
"""

import asyncio
from collections import Counter, defaultdict
from random import Random

import httpx2

NAMES = ("alice", "bob", "chandra", "dmitri", "esra", "fatou", "george", "hana", "ines", "jun")
USERS = tuple(f"{name}-{number}" for name in NAMES for number in range(1, 9))
QUESTIONS = (
    "Where is my parcel?",
    "Can I change the delivery address of my order?",
    "When will the refund be on my card?",
    "The light blinks red and nothing happens. What can I do?",
    "I would like to cancel my subscription at the end of the month.",
)
AT_ONCE = 64
PATIENCE = httpx2.Timeout(30.0)


class Traffic:
    """Asks at `rate` requests a second on average, until cancelled or told to `finish`."""

    def __init__(self, url: str, route: str, rate: float, dice: Random) -> None:
        self._url = f"{url}/v1/chat/completions"
        self._route = route
        self._rate = rate
        self._dice = dice
        self._ending = asyncio.Event()
        self.sent = 0
        self.statuses: Counter[int] = Counter()
        self.broken: Counter[str] = Counter()  # by the exception's name
        self.variants: dict[str, set[str]] = defaultdict(set)  # by user

    def finish(self) -> None:
        """Ask nothing more; `run` returns when what was asked is answered."""
        self._ending.set()

    async def run(self) -> None:
        """Ask and ask."""
        limits = httpx2.Limits(max_connections=AT_ONCE)
        room = asyncio.Semaphore(AT_ONCE)
        async with (
            httpx2.AsyncClient(timeout=PATIENCE, limits=limits, trust_env=False) as client,
            asyncio.TaskGroup() as group,
        ):
            while not self._ending.is_set():
                await room.acquire()
                asked = group.create_task(self._ask(client))
                asked.add_done_callback(lambda _: room.release())
                await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._dice.expovariate(self._rate)):
                await self._ending.wait()
        except TimeoutError:
            pass

    async def _ask(self, client: httpx2.AsyncClient) -> None:
        user = self._dice.choice(USERS)
        stream = self._dice.random() < 0.6
        message = {"role": "user", "content": self._dice.choice(QUESTIONS)}
        body = {"model": self._route, "messages": [message], "user": user, "stream": stream}
        self.sent += 1
        try:
            async with client.stream("POST", self._url, json=body) as reply:
                text = await reply.aread()
        except httpx2.HTTPError as error:
            self.broken[type(error).__name__] += 1
            return
        self.statuses[reply.status_code] += 1
        if stream and reply.status_code == 200 and not text.endswith(b"data: [DONE]\n\n"):
            self.broken["stream without its end"] += 1
        if "x-turnout-variant" in reply.headers:
            self.variants[user].add(reply.headers["x-turnout-variant"])
