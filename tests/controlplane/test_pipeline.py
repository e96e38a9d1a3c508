import asyncio
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from proxy.alerting import Alert, Rules
from proxy.config.settings import AlertThresholds, BodySettings, Looks, Previews
from proxy.controlplane.pipeline import Pipeline, Steps
from proxy.exchange.observation import Bodies, Observation, Texts, Usage
from proxy.formats import Checker
from proxy.pricing import Pricer, Prices
from proxy.quality import Reader
from proxy.sinks.bodies import Scribe
from proxy.sinks.redaction import Redactor
from tests.support.observed import observed

LOOKS = Looks()
PRICES = Prices(input=1.0, output=2.0)


class Written:
    """A sink and a teller that keep what they take."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.alerts: list[Alert] = []
        self.news = asyncio.Event()

    def take(self, observations: Sequence[Observation]) -> None:
        self.observations += observations
        self.news.set()

    def alert(self, alert: Alert) -> None:
        self.alerts.append(alert)

    async def have(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.observations) < count:
                self.news.clear()
                await self.news.wait()


def ten_tokens(seen: Observation) -> Observation:
    return replace(seen, texts=None, usage=Usage(10, 10), tokens_source="tiktoken")


def pipeline(
    written: Written,
    count: Callable[[Observation], Observation] | None = ten_tokens,
    waiting: int = 2000,
    scribe: Scribe | None = None,
) -> Pipeline:
    steps = Steps(
        count=count,
        checker=Checker(LOOKS, {}),
        read=Reader(LOOKS, {}).read,
        price=Pricer({"support": {"base": PRICES}}, lambda _: None).price,
        redact=Redactor(Previews(redact=(r"\d{4,}",))).redact,
        judge=Rules(AlertThresholds(), {}).judge,
        sinks=[written],
    )
    made = scribe or Scribe(time.monotonic)
    return Pipeline(steps, scribe=made, tellers=[written], waiting=waiting)


@asynccontextmanager
async def running(pipeline: Pipeline, close: float = 10.0) -> AsyncIterator[Pipeline]:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pipeline.run())
        yield pipeline
        await pipeline.close(close)


def wordy(request_id: str = "req-1") -> Observation:
    texts = Texts(b"{}", "words")
    return observed(request_id=request_id, texts=texts, usage=Usage(), tokens_source="none")


async def test_what_needs_no_counting_is_written_at_once() -> None:
    written = Written()
    pipeline(written).take(0, [observed(), observed()])
    assert len(written.observations) == 2


async def test_every_sink_is_told_which_rules_an_observation_broke() -> None:
    written = Written()
    pipeline(written).take(0, [observed(), observed(latency_ms=9000.0, reply_chars=3)])
    assert [seen.alerts for seen in written.observations] == [(), ("slow", "short")]
    assert [alert.name for alert in written.alerts] == ["slow", "short"]


async def test_what_needs_counting_is_counted_on_another_thread_and_then_written() -> None:
    written = Written()
    threads: list[int] = []

    def count(seen: Observation) -> Observation:
        threads.append(threading.get_ident())
        return ten_tokens(seen)

    async with running(pipeline(written, count)) as pipe:
        pipe.take(0, [wordy("a"), observed(request_id="b")])
        assert [seen.request_id for seen in written.observations] == ["b"]  # nobody waited
        await written.have(2)
    assert written.observations[1].usage == Usage(10, 10)
    assert threads != [threading.get_ident()]
    assert pipe.uncounted == 0


async def test_signals_are_read_whether_or_not_tokens_are_counted() -> None:
    written = Written()
    no = Texts(b"", "I'm sorry, but I can't help with that.")
    async with running(pipeline(written)) as pipe:
        pipe.take(0, [observed(texts=no), observed(reply_chars=3), observed()])
        assert [seen.signals for seen in written.observations] == [("refusal",), ("short",), ()]
        pipe.take(0, [replace(wordy(), texts=replace(no, prompt=b"{}"))])
        await written.have(4)
    counted = written.observations[3]
    assert (counted.signals, counted.usage) == (("refusal",), Usage(10, 10))
    assert all(seen.texts is None for seen in written.observations)


async def test_where_nobody_has_the_time_to_count_signals_are_read_all_the_same() -> None:
    written = Written()
    no = Texts(b"{}", "I'm sorry, but I can't help with that.")
    pipeline(written, count=None).take(0, [replace(wordy(), texts=no)])
    behind = pipeline(written, waiting=0)
    behind.take(0, [replace(wordy(), texts=no)])
    assert [seen.signals for seen in written.observations] == [("refusal",)] * 2
    assert behind.uncounted == 1


async def test_a_form_is_checked_on_another_thread_before_signals_are_read() -> None:
    written = Written()
    form = Texts(b"", "{}", (), b'{"type":"json_object"}')
    prose = replace(form, reply="Here it is: {}")
    async with running(pipeline(written)) as pipe:
        pipe.take(0, [observed(texts=form, reply_chars=2), observed(texts=prose)])
        assert written.observations == []
        pipe.take(0, [replace(wordy(), texts=replace(form, prompt=b"{}"))])
        await written.have(3)
    kept, broken, counted = written.observations
    assert (kept.format_check, kept.signals) == ("kept", ())
    assert (broken.format_check, broken.signals) == ("broken", ("format",))
    assert (counted.format_check, counted.usage) == ("kept", Usage(10, 10))
    assert pipe.uncounted == 0


async def test_where_nobody_has_the_time_a_form_is_unchecked() -> None:
    written = Written()
    form = Texts(b"", "{}", (), b'{"type":"json_object"}')
    pipe = pipeline(written, waiting=0)
    pipe.take(0, [observed(texts=form, reply_chars=2), replace(wordy(), texts=form)])
    checks = [(seen.format_check, seen.signals) for seen in written.observations]
    assert checks == [("unchecked", ())] * 2
    assert pipe.uncounted == 0


async def test_texts_are_in_no_sink_whatever_happens() -> None:
    written = Written()
    async with running(pipeline(written, waiting=1)) as pipe:
        pipe.take(0, [wordy(), wordy(), wordy()])
    pipe.take(0, [wordy()])
    uncounting = pipeline(written, count=None)
    uncounting.take(0, [wordy()])
    assert len(written.observations) == 5
    assert all(seen.texts is None for seen in written.observations)


async def test_where_counting_is_behind_exchanges_go_on_uncounted_and_that_is_counted() -> None:
    written = Written()
    pipe = pipeline(written, waiting=2)
    pipe.take(0, [wordy(str(n)) for n in range(5)])
    assert [seen.request_id for seen in written.observations] == ["2", "3", "4"]
    assert {seen.tokens_source for seen in written.observations} == {"none"}
    assert pipe.uncounted == 3


async def test_texts_that_wait_are_bounded_in_bytes_too() -> None:
    written = Written()
    pipe = pipeline(written)
    big = replace(wordy(), texts=Texts(b" " * (33 * 1024 * 1024)))
    pipe.take(0, [big, big])
    assert (len(written.observations), pipe.uncounted) == (1, 1)


async def test_previews_are_masked_before_sinks_and_alerts_see_them() -> None:
    written = Written()
    seen = observed(prompt_preview="my pin is 123456", latency_ms=9000.0)
    pipeline(written).take(0, [seen])
    assert written.observations[0].prompt_preview == "my pin is [redacted]"
    assert written.alerts[0].observation.prompt_preview == "my pin is [redacted]"


async def test_an_alert_reaches_every_teller() -> None:
    written = Written()
    pipeline(written).take(0, [observed(), observed(latency_ms=9000.0, reply_chars=2)])
    assert [alert.name for alert in written.alerts] == ["slow", "short"]


async def test_closing_counts_what_waits() -> None:
    written = Written()
    async with running(pipeline(written)) as pipe:
        pipe.take(0, [wordy(str(n)) for n in range(50)])
    assert len(written.observations) == 50
    assert {seen.tokens_source for seen in written.observations} == {"tiktoken"}


async def test_closing_takes_no_longer_than_it_may_and_loses_nothing() -> None:
    written = Written()
    began, go_on = threading.Event(), threading.Event()

    def hang(seen: Observation) -> Observation:
        began.set()
        go_on.wait(10)
        return ten_tokens(seen)

    async with asyncio.timeout(5), running(pipeline(written, hang), close=0.05) as pipe:
        pipe.take(0, [wordy(str(n)) for n in range(30)])
        await asyncio.to_thread(began.wait, 5)
    go_on.set()
    assert [seen.request_id for seen in written.observations] == [str(n) for n in range(30)]
    assert pipe.uncounted == 30


async def test_a_pipeline_that_is_cancelled_loses_nothing() -> None:
    written = Written()
    began, go_on = threading.Event(), threading.Event()

    def hang(seen: Observation) -> Observation:
        began.set()
        go_on.wait(10)
        return ten_tokens(seen)

    pipe = pipeline(written, hang)
    task = asyncio.create_task(pipe.run())
    pipe.take(0, [wordy()])
    await asyncio.to_thread(began.wait, 5)
    task.cancel()
    await asyncio.wait([task])
    go_on.set()
    assert len(written.observations) == 1


async def test_closing_what_never_ran_writes_what_waits() -> None:
    written = Written()
    pipe = pipeline(written)
    pipe.take(0, [wordy()])
    await pipe.close(0.01)
    assert (len(written.observations), pipe.uncounted) == (1, 1)


def test_what_an_exchange_cost_is_known_once_its_tokens_are() -> None:
    written = Written()
    pipeline(written).take(0, [observed(usage=Usage(1_000_000, 500_000)), observed(usage=Usage())])

    assert [each.cost_usd for each in written.observations] == [2.0, None]


def scribe() -> Scribe:
    made = Scribe(time.monotonic)
    made.adopt({"support": BodySettings(redact=("canary",))}, ())
    return made


ASKED = Bodies(b'"canary"', b'"reply"', 8, 7)


async def test_bodies_are_written_on_another_thread_before_any_sink_sees_them() -> None:
    written = Written()
    async with running(pipeline(written, scribe=scribe())) as pipe:
        pipe.take(0, [observed(bodies=ASKED), replace(wordy(), bodies=ASKED), observed()])
        assert len(written.observations) == 1
        await written.have(3)
    for seen in written.observations[1:]:
        assert seen.bodies is not None
        assert zlib.decompress(seen.bodies.request) == b'"[redacted]"'
    assert written.observations[2].usage == Usage(10, 10)


async def test_where_nobody_has_the_time_bodies_are_let_go_and_that_is_counted() -> None:
    written, kept = Written(), scribe()
    pipe = pipeline(written, waiting=1, scribe=kept)
    pipe.take(0, [observed(bodies=ASKED), observed(bodies=ASKED)])
    await pipe.close(0.01)
    assert [seen.bodies for seen in written.observations] == [None, None]
    assert kept.dropped == 2
    big = replace(ASKED, request=b" " * (33 * 1024 * 1024))
    full = pipeline(written, scribe=kept)
    full.take(0, [observed(bodies=big), observed(bodies=big)])
    assert kept.dropped == 3
