import json
import logging
import os
import pty
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.alerting import Alert, AlertName
from proxy.exchange.observation import Observation, Trace, Usage
from proxy.exchange.outcome import ErrorCode, Outcome
from proxy.sinks.log import AlertLog, ExchangeLog, LineWriter, configure
from proxy.sinks.log.console import shown
from proxy.sinks.log.exchanges import line_of
from proxy.sinks.log.setup import Json
from tests.support.observed import observed


class Log:
    """Logging set up to write into a file, and what came of it."""

    def __init__(self, path: Path, form: Any) -> None:
        self._path = path
        self._stream = path.open("w")
        self.writer: LineWriter = configure(form, self._stream, clock=lambda: 1_795_000_000.25)

    def text(self) -> str:
        assert self.writer.flush(10.0)
        return self._path.read_text(encoding="utf-8")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]

    def close(self) -> None:
        self.writer.close()
        self._stream.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[str], Log]]:
    """Configure logging for a test, and put everything back after it."""
    root = logging.getLogger()
    before = root.handlers, root.level
    logs: list[Log] = []

    def open_(form: str = "json") -> Log:
        logs.append(Log(tmp_path / f"log-{len(logs)}", form))
        return logs[-1]

    yield open_
    root.handlers, level = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    for log in logs:
        log.close()


Opened = Callable[..., Log]


def test_an_exchange_is_one_line_of_json_with_its_facts(opened: Opened) -> None:
    log = opened()
    ExchangeLog().take([observed(key_name="app", stream=True, ttft_ms=30.5, tpot_ms=12.0)])
    (line,) = log.lines()
    assert list(line)[:4] == ["timestamp", "level", "event", "request_id"]
    assert line == line | {
        "timestamp": "2026-11-18T11:06:40.812500Z",
        "level": "info",
        "event": "exchange",
        "request_id": "req-1",
        "route": "support",
        "variant_assigned": "base",
        "variant_served": "base",
        "forced": False,
        "upstream": "openai",
        "model_asked": "support",
        "model_served": "gpt-4o-mini",
        "dialect": "chat",
        "stream": True,
        "status": 200,
        "outcome": "completed",
        "error_code": None,
        "prompt_tokens": 12,
        "response_tokens": 34,
        "cached_tokens": 0,
        "reasoning_tokens": None,
        "tokens_source": "upstream",
        "latency_ms": 812.5,
        "ttft_ms": 30.5,
        "tpot_ms": 12.0,
        "overhead_ms": 0.4,
        "reply_chars": 120,
        "finish_reason": "stop",
        "prompt_preview": "Where is my parcel?",
        "response_preview": "It left the depot this morning.",
        "key_name": "app",
        "table_version": 3,
        "attempts": 1,
    }


def test_without_previews_the_line_has_no_field_for_them(opened: Opened) -> None:
    log = opened()
    ExchangeLog().take([observed(prompt_preview=None, response_preview=None)])
    assert not {"prompt_preview", "response_preview"} & set(log.lines()[0])


def test_every_fact_of_an_observation_is_in_the_line_or_left_out_on_purpose(
    opened: Opened,
) -> None:
    log = opened()
    ExchangeLog().take([observed()])
    left_out = {"schema_version", "started_at", "usage", "texts", "bodies", "output_ms", "alerts"}
    missing = set(Observation.__struct_fields__) - left_out - set(log.lines()[0])
    assert missing == {"trace"}  # of it, the trace's id


def test_the_page_of_the_log_names_exactly_the_fields_there_are(opened: Opened) -> None:
    log = opened()
    trace = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    ExchangeLog().take([observed(trace=trace)])
    AlertLog().alert(alert())
    exchange, alerted = (set(line) for line in log.lines())
    page = Path(__file__).parents[2].joinpath("docs/log.md").read_text(encoding="utf-8")
    named = {
        heading: set(re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE))
        for heading, part in re.findall(
            r"^## (\w+)(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL
        )
    }
    assert named["Exchange"] == exchange
    assert named["Alert"] == alerted - exchange


def alert(**changes: Any) -> Alert:
    return Alert(
        name=AlertName.SLOW,
        value=6000.0,
        threshold=5000.0,
        at=0.0,
        observation=observed(latency_ms=6000.0, **changes),
    )


def test_an_alert_is_a_warning_with_the_facts_of_its_request(opened: Opened) -> None:
    log = opened()
    AlertLog().alert(alert())
    (line,) = log.lines()
    assert line == line | {
        "level": "warning",
        "event": "alert",
        "alert": "slow",
        "value": 6000.0,
        "threshold": 5000.0,
        "silenced": False,
        "request_id": "req-1",
        "variant_served": "base",
        "prompt_preview": "Where is my parcel?",
    }


def test_an_alert_that_nobody_is_told_of_is_logged_and_marked(opened: Opened) -> None:
    log = opened()
    AlertLog(lambda each: each.name is AlertName.SLOW).alert(alert())
    assert log.lines()[0]["silenced"] is True
    people = opened("console")
    AlertLog(lambda _: True).alert(alert())
    assert "(threshold 5000) silenced req-1" in people.text()


@given(st.text(), st.text())
@settings(max_examples=50)
def test_whatever_the_words_a_line_stays_a_line(prompt: str, reply: str) -> None:
    seen = observed(prompt_preview=prompt, response_preview=reply)
    (line,) = Json().lines([line_of(seen, "info", "exchange")])
    assert b"\n" not in line
    assert json.loads(line)["event"] == "exchange"


def test_turnouts_own_events_have_the_same_form(opened: Opened) -> None:
    log = opened()
    structlog.get_logger().warning("worker restarted", worker=2, pause=0.5, path=Path("/tmp"))
    (line,) = log.lines()
    assert list(line) == ["timestamp", "level", "event", "worker", "pause", "path"]
    assert line["timestamp"] == "2026-11-18T11:06:40.250000Z"
    assert (line["level"], line["event"], line["worker"]) == ("warning", "worker restarted", 2)


def test_details_below_info_are_not_logged(opened: Opened) -> None:
    log = opened()
    structlog.get_logger().debug("detail")
    logging.getLogger("uvicorn").debug("detail")
    assert log.text() == ""


def test_the_standard_librarys_loggers_come_in_the_same_form(opened: Opened) -> None:
    log = opened()
    logging.getLogger("some.library").info("Started process [%d]", 42)
    (line,) = log.lines()
    assert line == {
        "timestamp": "2026-11-18T11:06:40.250000Z",
        "level": "info",
        "event": "Started process [42]",
        "logger": "some.library",
    }


def test_an_http_clients_own_chatter_is_kept_out_because_addresses_hold_secrets(
    opened: Opened,
) -> None:
    log = opened()
    logging.getLogger("httpx2").info("HTTP Request: POST https://hooks.example/T0/secret")
    assert log.text() == ""


def test_a_change_that_the_log_itself_makes_in_a_watched_folder_is_not_logged(
    opened: Opened,
) -> None:
    log = opened()
    logging.getLogger("watchfiles.main").info("1 change detected")
    assert log.text() == ""


def test_an_exception_is_in_the_line(opened: Opened) -> None:
    log = opened()
    try:
        raise ValueError("broken")  # noqa: TRY301  # the point is a traceback
    except ValueError:
        logging.getLogger("a").exception("failed")
        structlog.get_logger().exception("failed too")
    for line in log.lines():
        assert line["level"] == "error"
        assert "ValueError: broken" in line["exception"]


def test_a_record_that_cannot_be_put_in_words_harms_nobody(
    opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    log = opened()
    logging.getLogger("a").info("%d", "no number")
    assert log.text() == ""
    assert "no number" in capsys.readouterr().err


def test_warnings_are_logged(opened: Opened) -> None:
    log = opened()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old ways", stacklevel=1)
    assert "old ways" in log.lines()[0]["event"]


def test_lone_surrogates_are_escaped(opened: Opened) -> None:
    log = opened()
    structlog.get_logger().info("file", name="\udcff")
    assert "udcff" in log.lines()[0]["name"]


def test_for_people_an_exchange_is_one_readable_line(opened: Opened) -> None:
    log = opened("console")
    ExchangeLog().take([observed(stream=True, ttft_ms=30.0)])
    text = log.text()
    assert text.count("\n") == 1
    for part in ("200", "support/base", "812 ms", "first token 30 ms", "12>34 tok", "parcel"):
        assert part in text
    assert "\x1b" not in text  # a file is no terminal


def test_for_people_a_failure_says_why(opened: Opened) -> None:
    log = opened("console")
    ExchangeLog().take(
        [
            observed(
                outcome=Outcome.UPSTREAM_CUT, error_code=ErrorCode.PROVIDER_CUT, usage=Usage(5)
            ),
            observed(outcome=Outcome.CLIENT_GONE, status=None, route=None, usage=Usage()),
        ]
    )
    first, second = log.text().splitlines()
    assert "provider_cut" in first
    assert "5>? tok" in first
    assert "client_gone" in second


def test_for_people_a_shadow_names_the_request_it_follows(opened: Opened) -> None:
    log = opened("console")
    ExchangeLog().take([observed(request_id="req-2", shadow_of="req-1")])
    assert log.text().endswith("req-2 shadow of req-1\n")


def test_for_people_alerts_and_events_are_lines_too(opened: Opened) -> None:
    log = opened("console")
    AlertLog().alert(alert())
    structlog.get_logger().info("listening", port=8000)
    try:
        raise ValueError("broken")  # noqa: TRY301  # the point is a traceback
    except ValueError:
        structlog.get_logger().exception("failed")
    text = log.text()
    assert "ALERT slow support/base 6000 ms (threshold 5000) req-1" in text
    assert "listening port=8000" in text
    assert "ValueError: broken" in text


@pytest.mark.parametrize(
    ("assigned", "served", "written"),
    [
        ("ft-v2", "base", "support/ft-v2>base"),
        ("base", "base", "support/base"),
        ("ft-v2", None, "support/ft-v2"),
        (None, None, "support/-"),
    ],
)
def test_for_people_a_fallback_names_both_variants(
    opened: Opened, assigned: str | None, served: str | None, written: str
) -> None:
    log = opened("console")
    ExchangeLog().take([observed(variant_assigned=assigned, variant_served=served)])
    AlertLog().alert(alert(variant_assigned=assigned, variant_served=served))
    for line in log.text().splitlines():
        assert f" {written} " in line


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        (AlertName.SLOW, 8015.42, "8015.4 ms (threshold 5000)"),
        (AlertName.SLOW, 1_000_000.0, "1000000 ms (threshold 5000)"),
        (AlertName.SHORT, 3, "3 characters (threshold 5000)"),
        (AlertName.BUDGET, 4987.5, "4987.5 USD (threshold 5000)"),
    ],
)
def test_for_people_an_alert_has_its_unit_and_no_exponent(
    opened: Opened, name: AlertName, value: float, written: str
) -> None:
    log = opened("console")
    AlertLog().alert(
        Alert(name=name, value=value, threshold=5000.0, at=0.0, observation=observed())
    )
    assert written in log.text()


def test_for_people_a_preview_that_is_cut_ends_in_an_ellipsis(opened: Opened) -> None:
    log = opened("console")
    ExchangeLog().take([observed(prompt_preview="a" * 41, response_preview="b" * 40)])
    assert f'"{"a" * 39}…" "{"b" * 40}"' in log.text()


def test_for_people_an_alert_over_a_window_is_its_sentence(opened: Opened) -> None:
    log = opened("console")
    facts = {"route": "support", "silenced": True, "request_ids": ("req-1", "req-2")}
    sentence = "turnout: error_rate on support / base: 12 % of requests fail"
    structlog.get_logger().warning("alert firing", sentence=sentence, **facts)
    structlog.get_logger().info(
        "alert resolved", sentence="turnout: it is over", silenced=False, request_ids=()
    )
    first, second = log.text().splitlines()
    said = "ALERT error_rate on support / base: 12 % of requests fail silenced req-1 req-2"
    assert first.endswith(said)
    assert second.endswith("alert it is over")


def test_what_a_client_wrote_cannot_move_the_terminal(opened: Opened) -> None:
    log = opened("console")
    ExchangeLog().take(
        [observed(prompt_preview="\x1b[2Jhi\nthere\x00", response_preview="é\u202e")]
    )
    text = log.text()
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "é" in text


def test_printable_words_are_shown_as_they_are() -> None:
    assert shown("naïve 日本") == "naïve 日本"
    assert shown("a\tb") == "a\\tb"


def test_a_terminal_gets_colours() -> None:
    main, side = pty.openpty()
    root = logging.getLogger()
    before = root.handlers
    with os.fdopen(side, "w", encoding="utf-8") as stream:
        writer = configure("console", stream)
        ExchangeLog().take([observed()])
        assert writer.close(10.0)
        assert b"\x1b[32m200" in os.read(main, 10_000)
    os.close(main)
    root.handlers = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
