"""The preview shows how the last user message begins; any shape of prompt is taken."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from proxy.dialects.wire.prompt import MAX_TAIL, Prompt, conversation, plain, unread

ODD: list[Any] = [
    1,
    True,
    {},
    {"role": "user", "content": "x"},
    ["a", "b"],
    [1, 2],
    [[1]],
    [None],
    [{"role": "user"}],
    [{"role": "user", "content": None}],
    [{"role": "user", "content": 5}],
    [{"role": "user", "content": {}}],
    [{"role": "user", "content": [1]}],
    [{"role": "user", "content": [{"type": "text", "text": 5}]}],
    [{"role": 5, "content": "x"}],
    [{}],
    [],
]


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_the_last_user_message_counts() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        user("first"),
        {"role": "assistant", "content": "ok"},
        user("second"),
        {"role": "assistant", "content": "prefill"},
    ]
    assert conversation(raw(messages)) == Prompt("second", 9 + 5 + 2 + 6 + 7)


def test_the_text_parts_of_a_message_are_joined() -> None:
    content = [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9999}},
        {"type": "text", "text": "this?"},
    ]
    assert conversation(raw([user(content)])) == Prompt("What is this?", 12)


def test_a_message_without_text_gives_way_to_the_one_before() -> None:
    messages = [user("Look it up"), user([{"type": "tool_result", "content": "42"}])]
    assert conversation(raw(messages)).tail == "Look it up"


def test_a_text_in_place_of_messages_is_the_prompt() -> None:
    assert conversation(raw("Hello")) == Prompt("Hello", 5)


@pytest.mark.parametrize(
    "prompt",
    [
        conversation(raw("é" * 1000)),
        conversation(raw([user("é" * 1000)])),
        conversation(raw([user([{"type": "text", "text": "é" * 300}] * 3)])),
        plain(raw("é" * 1000)),
        plain(raw(["é" * 1000, "x"])),
    ],
)
def test_only_the_start_is_kept(prompt: Prompt) -> None:
    assert len(prompt.tail) == MAX_TAIL
    assert prompt.chars >= 900


def test_of_several_prompts_the_first_is_shown_and_all_are_counted() -> None:
    assert plain(raw(["one", "three"])) == Prompt("one", 8)
    assert plain(raw([])) == Prompt("", 0)


def test_of_tokens_only_the_length_of_their_json_is_known() -> None:
    assert plain(Raw(b"[15339,1917]")) == Prompt("", 12)
    assert plain(Raw(b"[[15339],[1917]]")) == Prompt("", 16)


def test_no_prompt_is_an_empty_one() -> None:
    assert conversation(None) == plain(None) == unread(None) == Prompt("", 0)


@pytest.mark.parametrize("value", ODD, ids=json.dumps)
def test_a_prompt_of_a_shape_we_do_not_know_has_no_preview(value: Any) -> None:
    assert conversation(raw(value)).tail == ""


@given(st.binary(max_size=40))
def test_no_bytes_are_a_reason_to_fail(data: bytes) -> None:
    for prompt in (conversation(Raw(data)), plain(Raw(data))):
        assert prompt.chars >= 0


def test_a_large_prompt_is_counted_and_shown_as_a_small_one_is() -> None:
    large = "x" * 2_000_000
    for prompt in (large, [user(large)], [user([{"type": "text", "text": large}])]):
        assert conversation(raw(prompt)) == Prompt("x" * MAX_TAIL, 2_000_000)


def test_a_flood_of_messages_is_not_decoded() -> None:
    flood = Raw(b"[" + b"{}," * 400_000 + b"{}]")
    assert conversation(flood) == plain(flood) == Prompt("", len(memoryview(flood)))
