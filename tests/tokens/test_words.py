import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.tokens.words import READERS, Words, words_of


def read(dialect: str, **body: Any) -> Words:
    words = words_of(dialect, json.dumps(body).encode())
    assert words is not None
    return words


def test_chat_counts_three_a_message_one_a_name_and_three_to_begin_the_reply() -> None:
    words = read(
        "chat",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": "Hi"},
        ],
    )
    assert words.fixed == 3 + 3 + 3 + 1
    assert words.pieces == ["system", "Be brief.", "user", "ann", "Hi"]


def test_of_a_message_in_parts_the_text_counts_and_images_do_not() -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    words = read("chat", messages=[{"role": "user", "content": parts}])
    assert words.pieces == ["user", "What is this?"]


def test_calls_in_the_history_count_by_name_and_arguments() -> None:
    called = {"name": "find", "arguments": '{"q":"x"}'}
    words = read(
        "chat",
        messages=[
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "function": called}],
            },
            {"role": "assistant", "function_call": called},
            {"role": "tool", "tool_call_id": "1", "content": "found"},
        ],
    )
    call = ["assistant", "find", '{"q":"x"}']
    assert words.pieces == [*call, *call, "tool", "found"]


def test_function_definitions_count_by_the_cookbooks_formula() -> None:
    parameters = {
        "properties": {
            "place": {"type": "string", "description": "Where."},
            "unit": {"type": "string", "enum": ["km", "mi"]},
        }
    }
    function = {"name": "far", "description": "How far it is.", "parameters": parameters}
    words = read("chat", messages=[], tools=[{"type": "function", "function": function}])
    assert words.pieces == [
        "far:How far it is",
        "place:string:Where",
        "km",
        "mi",
        "unit:string:",
    ]
    assert words.functions == 1
    assert words.fixed == 3 + 12 + 3 + (3 + 3) + (-3 + 2 * 3)


def test_a_function_without_parameters_and_the_older_form_count_too() -> None:
    words = read("chat", messages=[], functions=[{"name": "now"}])
    assert (words.pieces, words.functions, words.fixed) == (["now:"], 1, 15)
    words = read("chat", messages=[], functions=[{"name": "now", "parameters": {}}])
    assert (words.pieces, words.functions, words.fixed) == (["now:"], 1, 15)


def test_completions_and_embeddings_take_text_lists_of_text_and_tokens() -> None:
    assert read("completions", prompt="Once", suffix="end").pieces == ["Once", "end"]
    assert read("completions", prompt=["a", "b"]).pieces == ["a", "b"]
    assert read("embeddings", input=[1, 2, 3]).fixed == 3
    assert read("embeddings", input=[[1, 2], [3]]).fixed == 3


def test_responses_count_instructions_items_and_functions() -> None:
    words = read("responses", instructions="Be kind.", input="Hi")
    assert (words.pieces, words.fixed) == (["Be kind.", "Hi"], 3 + 3 + 3)
    words = read(
        "responses",
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "function_call", "name": "now", "arguments": "{}"},
            {"type": "function_call_output", "output": "noon"},
        ],
        tools=[{"type": "function", "name": "now"}, {"type": "web_search"}],
    )
    assert sorted(words.pieces) == sorted(["user", "Hi", "{}", "now", "noon", "now:"])
    assert words.functions == 1


def test_messages_count_system_blocks_and_tools() -> None:
    words = read(
        "messages",
        system=[{"type": "text", "text": "Be kind."}],
        messages=[
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm"},
                    {"type": "tool_use", "name": "now", "input": {"zone": "UTC"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "content": [{"type": "text", "text": "noon"}]}
                ],
            },
        ],
        tools=[{"name": "now", "input_schema": {"properties": {"zone": {"type": "string"}}}}],
    )
    assert words.pieces == [
        *("Be kind.", "user", "Hi", "assistant", "hm", "now", '{"zone":"UTC"}'),
        *("user", "noon", "now:", "zone:string:"),
    ]
    assert words.fixed == 3 + 3 + 3 * 3 + 12 + 3 + 3


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"a":"\xff"}'])
def test_a_body_that_cannot_be_read_has_no_words(body: bytes) -> None:
    assert words_of("chat", body) is None


def test_an_unknown_dialect_has_no_words() -> None:
    assert words_of("none", b"{}") is None


def test_nesting_without_end_is_no_accident() -> None:
    deep = '{"type":"tool_result","content":[' * 900 + "]}" * 900
    body = '{"messages":[{"role":"user","content":[' + deep + "]}]}"
    words = words_of("messages", body.encode())
    assert words is None or words.pieces == ["user"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "function", "name", "properties", "enum"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
MEMBERS = ["messages", "tools", "functions", "input", "prompt", "instructions", "system"]


@given(st.sampled_from(sorted(READERS)), st.dictionaries(st.sampled_from(MEMBERS), JSON))
@settings(max_examples=200)
def test_no_shape_of_a_request_is_an_error(dialect: str, body: dict[str, Any]) -> None:
    assert words_of(dialect, json.dumps(body).encode()) is not None
