"""A stream's events, put together, say what a whole reply says; nothing stays in pieces."""

import json
from typing import Any

import pytest

from proxy.dialects.gathered import gathered
from tests.dialects.recorded.anthropic import ANTHROPIC
from tests.dialects.recorded.openai_chat import OPENAI_CHAT
from tests.dialects.recorded.other_chat import OTHER_CHAT
from tests.dialects.recorded.responses import OPENAI_OTHERS


def stream(*events: object) -> bytes:
    return b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events)


def chat(*deltas: dict[str, Any], **more: Any) -> bytes:
    head = {"id": "c1", "object": "chat.completion.chunk", "model": "m"}
    return stream(
        *({**head, "choices": [{"index": 0, "delta": delta}]} for delta in deltas),
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**head, "choices": [], "usage": {"prompt_tokens": 3}, **more},
    )


def test_a_chats_deltas_are_its_message() -> None:
    call = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}
    found = gathered(
        "chat",
        chat(
            {"role": "assistant", "content": "", "refusal": None},
            {"role": "assistant", "content": "Hel"},
            {"content": "lo", "reasoning_content": "hm"},
            {"content": None, "reasoning_content": "m"},
            {"tool_calls": [call]},
            {"tool_calls": [{"index": 0, "id": "t", "function": {"arguments": '{"a":'}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
            {"tool_calls": [{"function": {"name": "g", "arguments": "{}"}}, "odd"]},
        )
        + b"data: [DONE]\n\n",
    )
    message = {
        "role": "assistant",
        "content": "Hello",
        "refusal": None,
        "reasoning_content": "hmm",
        "tool_calls": [
            {**call, "function": {"name": "f", "arguments": '{"a":1}'}},
            {"function": {"name": "g", "arguments": "{}"}},
            "odd",
        ],
    }
    assert found == {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3},
    }


def test_choices_are_told_apart_and_stand_in_their_order() -> None:
    pieces = [(1, "b"), (0, "a"), (1, "B")]
    events = [{"choices": [{"index": index, "text": text}]} for index, text in pieces]
    found = gathered("completions", stream(*events, {"choices": [{"text": "A", "index": None}]}))
    assert [each["text"] for each in found["choices"]] == ["aA", "bB"]


def test_pieces_find_their_item_however_many_there_are() -> None:
    many = 20_000  # each looked for among all before it would be two hundred million looks
    pieces = [{"tool_calls": [{"index": each, "id": f"t{each}"}]} for each in range(many)]
    last = {"tool_calls": [{"index": many - 1, "function": {"arguments": "{}"}}]}
    calls = gathered("chat", chat(*pieces, last))["choices"][0]["message"]["tool_calls"]
    assert len(calls) == many
    assert calls[-1] == {"index": many - 1, "id": f"t{many - 1}", "function": {"arguments": "{}"}}


def test_the_words_that_stand_there_again_token_by_token_are_left_out() -> None:
    event = {"choices": [{"delta": {"content": "s"}, "logprobs": {"content": [{"token": "s"}]}}]}
    assert "logprobs" not in gathered("chat", stream(event))["choices"][0]


def test_a_character_that_was_cut_in_two_is_whole_again() -> None:
    found = gathered("chat", chat({"content": "\ud83d"}, {"content": "\ude00"}))
    text = found["choices"][0]["message"]["content"]
    assert text.encode("utf-16", "surrogatepass").decode("utf-16") == "\N{GRINNING FACE}"


def test_what_can_not_be_read_is_left_out() -> None:
    odd = b"data: {\n\ndata: 7\n\n"
    cut = b'data: {"choices":[{"delta":{"content":"y'
    found = gathered("chat", chat({"content": "x"}) + odd + cut)
    assert found["choices"][0]["message"]["content"] == "x"
    assert gathered("chat", b"") == {}
    assert gathered("chat", stream({"error": {"message": "busy"}})) == {
        "error": {"message": "busy"}
    }


@pytest.mark.parametrize(
    ("dialect", "event"),
    [
        ("chat", {"choices": [7]}),
        ("chat", {"choices": 7}),
        ("chat", {"choices": [{"delta": {"tool_calls": [{"index": []}]}}]}),
        ("embeddings", {}),
        ("messages", {"type": "content_block_delta", "delta": {}}),
    ],
)
def test_events_that_make_no_sense_are_told(dialect: str, event: object) -> None:
    with pytest.raises(ValueError, match="no stream of this API"):
        gathered(dialect, stream(event))


def test_messages_blocks_grow_and_a_tools_input_is_read() -> None:
    found = gathered("messages", ANTHROPIC["Anthropic: a stream"].body)
    assert found["stop_reason"] == "tool_use"
    assert [block["type"] for block in found["content"]] == ["thinking", "text", "tool_use"]
    assert found["content"][1]["text"] == "Grüezi"
    assert found["content"][2]["input"] == {"a": 1}
    assert found["usage"]["output_tokens"] == 25
    cut = gathered("messages", ANTHROPIC["Anthropic: a stream that was cut"].body)
    assert (cut["model"], cut["content"]) == ("claude", [{"text": "H"}])
    error = gathered("messages", ANTHROPIC["Anthropic: an error event"].body)
    assert error == {"error": {"type": "overloaded_error", "message": "busy"}}
    part = {"type": "input_json_delta", "partial_json": '{"a'}
    broken = stream({"type": "content_block_delta", "delta": part}, {"type": "ping"})
    assert gathered("messages", broken) == {"content": [{"partial_json": '{"a'}]}


def test_responses_are_their_last_event_or_their_pieces() -> None:
    whole = OPENAI_OTHERS["responses: a stream"].body
    assert gathered("responses", whole)["output"][0]["content"] == [{"text": "Hello you"}]
    before = whole[: whole.rindex(b"event: response.completed")]
    cut = gathered("responses", before)
    assert cut["status"] == "in_progress"
    assert cut["output"][1] == {"output_text": "Hello you"}
    assert cut["output"][0]["function_call_arguments"] == '{"a":1}'
    failed = gathered("responses", OPENAI_OTHERS["responses: a stream that fails"].body)
    assert (failed["status"], failed["output"]) == ("failed", [{"output_text": "Hel"}])
    error = gathered("responses", OPENAI_OTHERS["responses: an error event"].body)
    assert error["error"]["message"] == "x"
    assert gathered("responses", stream({"type": "keepalive"})) == {}


STREAMS = {name: each for name, each in (OPENAI_CHAT | OTHER_CHAT).items() if each.stream}


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_every_recorded_stream_says_the_same_put_together(name: str) -> None:
    recorded = STREAMS[name]
    dialect = "chat" if "chat" in recorded.path else "completions"
    found = json.dumps(gathered(dialect, recorded.body), ensure_ascii=False)
    assert (recorded.reading.finish_reason or "") in found
    if len(recorded.reading.choices) < 2 and not recorded.reading.tool_calls:
        assert recorded.reading.preview in found
