"""Nothing in a body hides what a pattern matches: no escape, no nesting, no second spelling."""

import json

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from proxy.sinks.masking import masked, masked_part, written

SECRET = "José/7\n4111"


def on(text: str) -> str:
    return regex.sub(r"José/7\n4111|4{8}", "[redacted]", text)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        '"Jos\\u00E9\\/7\\u000a4\\u003111"',
        json.dumps({"a": [{"b": SECRET}]}),
        json.dumps({SECRET: 1}),
        json.dumps({"arguments": json.dumps({"card": SECRET})}),
        json.dumps({"arguments": json.dumps(json.dumps([json.dumps(SECRET)]))}),
        json.dumps({"number": 44444444, "more": [4.4444444, True, None]}),
    ],
)
def test_whatever_the_way_it_is_written_it_is_masked(text: str) -> None:
    shown = written(masked(json.loads(text), on))
    assert "[redacted]" in shown
    part = masked_part(text[:-1], on)
    assert "[redacted]" in part
    for each in (shown, part):
        assert "4111" not in each
        assert "44444444" not in each


@pytest.mark.parametrize(
    "arguments",
    [
        '{"card": "Jos\\u00e9/7\\n4111", "more": "cut o',  # a reply that ran out of tokens
        '{"card": "Jos\\u00e9/7\\n4111", "card": ""}',
    ],
)
def test_a_text_that_is_odd_json_hides_nothing_either(arguments: str) -> None:
    shown = written(masked({"arguments": arguments}, on))
    assert "4111" not in shown


def test_what_holds_nothing_to_mask_stays_as_it_is() -> None:
    value = {"a": [1, 2.5, True, None, "x"], "arguments": '{ "b": 1 }', "broken": '{"b\\n'}
    assert masked(value, on) == value


def test_words_that_are_spelt_token_by_token_are_left_out_but_the_wish_for_them_stays() -> None:
    token = {"token": "Jos", "bytes": [74, 111, 115]}
    reply = {"logprobs": {"content": [token]}, "token_ids": [1, 2], "text": "x"}
    assert masked({"choices": [reply], "logprobs": True}, on) == {
        "choices": [{"text": "x"}],
        "logprobs": True,
    }
    assert masked_part('{"text": "x", "logprobs" : {"content": [{"tok', on) == '{"text": "x", '


def test_a_part_reads_as_it_is_meant() -> None:
    assert masked_part('{"a":"1\\n\\t\\\\n\\u00e9\\ud83d\\ude00\\ud83d', on) == (
        '{"a":"1\n\t\n\u00e9\N{GRINNING FACE}\N{REPLACEMENT CHARACTER}'
    )


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_text_is_masked_wherever_it_stands(value: object) -> None:
    mark = "S" * 12
    hidden = json.dumps({"x": value, "y": [json.dumps({"z": f"a{mark}"})]})
    shown = written(masked(json.loads(hidden), lambda text: text.replace(mark, "M")))
    assert mark not in shown
    assert json.loads(json.loads(shown)["y"][0]) == {"z": "aM"}
