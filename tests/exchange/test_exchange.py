"""An exchange gathers one request's phases and becomes one Observation."""

import pytest
from msgspec import msgpack

from proxy.exchange import (
    SCHEMA_VERSION,
    Bodies,
    ErrorCode,
    Exchange,
    Observation,
    Outcome,
    Reading,
    Usage,
)
from proxy.exchange.exchange import Take


def an_exchange(*, stream: bool = False) -> Exchange:
    exchange = Exchange(
        request_id="req_1",
        started_at=1_700_000_000.0,
        began=100.0,
        table_version=3,
        method="POST",
    )
    exchange.stream = stream
    return exchange


def closed(exchange: Exchange, at: float = 101.0) -> Observation:
    return exchange.close(at, status=200, reply_bytes=10)


def test_an_exchange_is_closed_exactly_once() -> None:
    exchange = an_exchange()
    closed(exchange)
    with pytest.raises(RuntimeError, match="exactly once"):
        closed(exchange)


def test_latency_runs_from_the_request_to_the_close() -> None:
    assert closed(an_exchange(), at=100.25).latency_ms == 250.0


def test_overhead_is_the_latency_less_the_time_spent_waiting() -> None:
    exchange = an_exchange()
    exchange.waited = 0.2
    assert closed(exchange, at=100.25).overhead_ms == 50.0


def test_overhead_is_never_negative() -> None:
    exchange = an_exchange()
    exchange.waited = 5.0
    assert closed(exchange, at=100.25).overhead_ms == 0.0


def test_the_time_to_the_first_token_is_that_of_the_first_output_of_a_stream() -> None:
    exchange = an_exchange(stream=True)
    exchange.reading = Reading(first_output_at=100.1, last_output_at=100.6)
    observation = closed(exchange)
    assert observation.ttft_ms == 100.0
    assert observation.output_ms == 500.0


@pytest.mark.parametrize("stream", [True, False])
def test_without_streamed_output_there_is_no_time_to_the_first_token(*, stream: bool) -> None:
    exchange = an_exchange(stream=stream)
    if not stream:
        exchange.reading = Reading(first_output_at=100.1, last_output_at=100.1)
    observation = closed(exchange)
    assert observation.ttft_ms is None
    assert observation.output_ms is None
    assert observation.tpot_ms is None


@pytest.mark.parametrize(("tokens", "expected"), [(6, 100.0), (2, 500.0), (1, None), (0, None)])
def test_the_time_per_token_counts_the_tokens_after_the_first(
    tokens: int, expected: float | None
) -> None:
    exchange = an_exchange(stream=True)
    usage = Usage(response_tokens=tokens)
    exchange.reading = Reading(usage=usage, first_output_at=100.1, last_output_at=100.6)
    assert closed(exchange).tpot_ms == expected


def test_tokens_of_the_upstream_are_marked_as_its_own() -> None:
    exchange = an_exchange()
    exchange.reading = Reading(usage=Usage(prompt_tokens=7, response_tokens=0, cached_tokens=0))
    observation = closed(exchange)
    assert observation.tokens_source == "upstream"
    assert observation.usage == Usage(prompt_tokens=7, response_tokens=0, cached_tokens=0)


def test_without_usage_the_tokens_are_unknown_not_zero() -> None:
    observation = closed(an_exchange())
    assert observation.tokens_source == "none"
    assert observation.usage.response_tokens is None


def test_the_model_that_answered_is_the_one_the_reply_names_else_the_one_we_asked_for() -> None:
    exchange = an_exchange()
    exchange.model_sent = "sent"
    exchange.reading = Reading(model="named")
    assert closed(exchange).model_served == "named"
    silent = an_exchange()
    silent.model_sent = "sent"
    assert closed(silent).model_served == "sent"


def test_a_flood_of_a_model_name_is_cut() -> None:
    exchange = an_exchange()
    exchange.model_asked = "m" * 5_000
    assert closed(exchange).model_asked == "m" * 200


def test_the_last_word_on_the_ending_counts() -> None:
    exchange = an_exchange()
    exchange.ended(Outcome.COMPLETED)
    exchange.ended(Outcome.UPSTREAM_CUT, ErrorCode.PROVIDER_CUT)
    observation = closed(exchange)
    assert (observation.outcome, observation.error_code) == (
        Outcome.UPSTREAM_CUT,
        ErrorCode.PROVIDER_CUT,
    )


def test_each_field_of_the_record_is_the_exchange_s_own_or_read_off_its_reply() -> None:
    exchange = an_exchange()
    shared = set(Exchange.__slots__) & set(Observation.__struct_fields__)
    for name in shared:
        setattr(exchange, name, f"its {name}")
    read = {"reply_chars", "finish_reason", "refused", "tool_calls", "malformed_events"}
    marks = {name: f"read {name}" for name in read | {"model", "error"}}
    exchange.reading = Reading(usage=Usage(1, 2, 3, 4), **marks)  # type: ignore[arg-type]
    observation = exchange.close(101.5, status=201, reply_bytes=10)
    found = {name: getattr(observation, name) for name in Observation.__struct_fields__}
    assert found == {
        **{name: f"its {name}" for name in shared},
        **{name: f"read {name}" for name in read},
        "schema_version": SCHEMA_VERSION,
        "status": 201,
        "model_served": "read model",
        "in_band_error": "read error",
        "usage": Usage(1, 2, 3, 4),
        "tokens_source": "upstream",
        "latency_ms": found["latency_ms"],
        "overhead_ms": found["overhead_ms"],
        "ttft_ms": None,
        "tpot_ms": None,
        "output_ms": None,
        "reply_bytes": 10,
        "alerts": (),  # these are known from control on
        "signals": (),
        "format_check": None,
        "cost_usd": None,
        "bodies": None,
    }


def test_an_observation_survives_the_way_from_worker_to_control() -> None:
    exchange = an_exchange(stream=True)
    exchange.reading = Reading(first_output_at=100.5, last_output_at=100.5)
    exchange.ended(Outcome.UPSTREAM_CUT, ErrorCode.PROVIDER_CUT)
    exchange.pinned = exchange.unit_missing = True
    exchange.shadow_of = "req-0"
    observation = closed(exchange)
    assert (observation.pinned, observation.unit_missing) == (True, True)
    assert observation.shadow_of == "req-0"
    assert msgpack.decode(msgpack.encode(observation), type=Observation) == observation


def test_what_was_kept_of_its_bodies_goes_along() -> None:
    class Copied:
        def again(self) -> "Copied":
            return self

        def beside(self, take: Take, *, readable: bool, events: bool) -> Take:
            return take

        def close(self) -> Bodies:
            return Bodies(b"q", b"r", 1, 1)

    exchange = an_exchange()
    exchange.copy = Copied()
    observation = closed(exchange)
    assert observation.bodies == Bodies(b"q", b"r", 1, 1)
    assert msgpack.decode(msgpack.encode(observation), type=Observation) == observation


def test_every_error_code_says_whose_fault_it_is() -> None:
    owners = {code.split("_", 1)[0] for code in ErrorCode}
    assert owners == {"caller", "policy", "provider", "internal"}
