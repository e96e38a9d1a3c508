from typing import Any

from rich.console import Console

from proxy.cli.drawing.exchanges import outcome, row, took, variant
from proxy.cli.drawing.story import WIDTH, because, phases, story
from proxy.controlplane.admin import models
from proxy.controlplane.admin.record.views import line
from proxy.exchange import Outcome
from proxy.exchange.observation import Usage
from proxy.exchange.outcome import ErrorCode
from proxy.store.observations import Kept
from tests.support.observed import observed


def shown(**changes: Any) -> models.ExchangeRecord:
    return line(Kept(number=1, observation=observed(**changes)))


def told(seen: models.ExchangeRecord, **more: Any) -> str:
    parts: dict[str, Any] = {"decided_by": None, "repeats": None, "shadows": [], "bodies": None}
    found = models.Story(exchange=seen, **{**parts, **more})
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        for each in story(found):
            console.print(each)
    return captured.get()


def test_times_stand_where_they_began_on_the_scale_of_the_whole() -> None:
    seen = shown(stream=True, latency_ms=1000.0, ttft_ms=250.0, output_ms=500.0, tpot_ms=5.0)
    assert list(phases(seen))[:3] == [
        ("to the first output", 0.0, 250.0),
        ("output", 250.0, 750.0),
        ("to the end", 750.0, 1000.0),
    ]
    text = told(seen)
    (output,) = (each.rstrip() for each in text.splitlines() if each.startswith("  output"))
    quarter = WIDTH // 4
    assert output.endswith(f"  {' ' * quarter}{'█' * 2 * quarter}")
    assert "5 ms for each token" in text


def test_a_request_without_a_reply_has_a_story_too() -> None:
    seen = shown(
        route=None,
        variant_assigned=None,
        variant_served=None,
        outcome=Outcome.REJECTED,
        error_code=ErrorCode.CALLER_UNKNOWN_MODEL,
        status=404,
        model_asked="support",
        model_served=None,
        tokens_source="none",
        upstream=None,
        attempts=0,
        latency_ms=0.0,
        overhead_ms=0.0,
        finish_reason=None,
        prompt_preview=None,
        response_preview=None,
    )
    text = told(seen)
    assert "404 caller_unknown_model" in text
    assert "version 3" in text
    assert "\nupstream\n" not in text
    assert "served by" not in text
    assert "tokens" not in text


def test_what_stood_in_and_what_a_shadow_repeats_is_told() -> None:
    seen = shown(variant_served="ft-v2", key_name="app", refused=True, tool_calls=2)
    seen = seen.model_copy(update={"signals": ["length"], "format_check": "broken"})
    text = told(seen, repeats=shown(request_id="req_0"), shadows=[shown(request_id="req_2")])
    assert "'base' failed, 'ft-v2' stood in" in text
    assert "repeats\n  req_0" in text
    assert "shadows\n  req_2" in text
    assert "client key 'app'" in text
    assert "2 tool calls" in text
    assert "signals: length" in text
    assert "the form that was asked for: broken" in text


def test_that_bodies_are_kept_is_told_and_whether_they_were_cut() -> None:
    sizes = models.BodySizes(
        request_bytes=12, request_whole=True, reply_bytes=90_000, reply_whole=False
    )
    text = told(shown(), bodies=sizes)
    assert "bodies\n  a request of 12 bytes, a reply of 90000 bytes, cut; admins" in text
    assert "bodies" not in told(shown())


def test_the_words_of_a_client_move_no_cursor() -> None:
    assert "\x1b" not in told(shown(prompt_preview="\x1b[2J", model_asked="\x1b]0;x"))


def test_why_a_variant_was_assigned_is_told() -> None:
    assert because(shown(forced=True)) == "its client asked for it by name"
    assert because(shown(pinned=True)) == "its user is pinned to it"
    assert because(shown(unit_missing=True)) == "by chance, for the request names no unit"
    assert because(shown(unit_kind="request")) == "by the split, each request by itself"
    assert because(shown()) == "by the split, its user in bucket 4711"
    assert because(shown(shadow_of="req_a")) == "as a shadow, unseen by any client"


def test_a_line_says_in_few_words_how_it_went() -> None:
    assert variant(shown(variant_served=None)) == "base"
    assert outcome(shown()).plain == "200 completed"
    assert outcome(shown(status=None, outcome=Outcome.CLIENT_GONE)).plain == "client_gone"
    assert [took(each) for each in (None, 0.4, 42.0, 999.6, 61_000.0)] == [
        "-",
        "0.4 ms",
        "42 ms",
        "1000 ms",
        "61.00 s",
    ]


def test_tokens_nobody_counted_are_a_dash_and_one_that_is_unknown_a_question_mark() -> None:
    column = 7
    assert row(shown())[column] == "12+34"
    assert row(shown(usage=Usage(12, None)))[column] == "12+?"
    assert row(shown(usage=Usage(), tokens_source="none"))[column] == "-"
