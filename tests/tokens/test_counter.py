import json
from typing import Any

import pytest
import tiktoken

from proxy.exchange.observation import Observation, Texts, Usage
from proxy.tokens import TokenCounter
from proxy.tokens.counter import EXACT_BYTES
from proxy.tokens.tables import EncodingName
from tests.support.observed import observed

COUNTER = TokenCounter()


def uncounted(body: dict[str, Any], reply: str = "", **changes: Any) -> Observation:
    texts = Texts(json.dumps(body).encode(), reply)
    facts = {
        "usage": Usage(),
        "tokens_source": "none",
        "texts": texts,
        "reply_chars": len(reply),
    }
    return observed(**(facts | changes))


HELLO = {"messages": [{"role": "user", "content": "hello world"}]}


def test_an_exchange_is_counted_with_its_models_encoding() -> None:
    seen = COUNTER.count(uncounted(HELLO, "hello world", model_served="gpt-4o"))
    assert seen.usage == Usage(prompt_tokens=3 + 3 + 1 + 2, response_tokens=2)
    assert seen.tokens_source == "tiktoken"


def test_functions_begin_with_more_tokens_in_the_older_encoding() -> None:
    body = HELLO | {"tools": [{"type": "function", "function": {"name": "now"}}]}
    new = COUNTER.count(uncounted(body, model_served="gpt-4o")).usage.prompt_tokens
    old = COUNTER.count(uncounted(body, model_served="gpt-4")).usage.prompt_tokens
    assert new is not None
    assert old == new + 3


def test_the_texts_are_gone_afterwards() -> None:
    assert COUNTER.count(uncounted(HELLO)).texts is None


def test_the_time_per_token_follows_from_the_count() -> None:
    seen = COUNTER.count(uncounted(HELLO, "hello world", output_ms=80.0, stream=True))
    assert seen.tpot_ms == 80.0
    one = COUNTER.count(uncounted(HELLO, "hello", output_ms=80.0, stream=True))
    assert one.tpot_ms is None


def test_an_embedding_has_no_output_to_count() -> None:
    seen = COUNTER.count(uncounted({"input": "hello world"}, dialect="embeddings"))
    assert seen.usage == Usage(prompt_tokens=2, response_tokens=None)


def test_very_long_texts_are_estimated_and_say_so() -> None:
    body = {"messages": [{"role": "user", "content": "word " * 40_001}]}
    seen = COUNTER.count(uncounted(body, "hello world"))
    assert seen.tokens_source == "estimate"
    assert seen.usage.prompt_tokens == (4 + 5 * 40_001) // 4 + 6
    assert seen.usage.response_tokens == len("hello world") // 4
    body["messages"][0]["content"] = "x" * (EXACT_BYTES - 4)
    assert COUNTER.count(uncounted(body)).tokens_source == "tiktoken"


def test_a_reply_that_was_cut_on_its_way_here_is_estimated_from_its_length() -> None:
    seen = COUNTER.count(uncounted(HELLO, "hello world", reply_chars=400_000))
    assert (seen.tokens_source, seen.usage.response_tokens) == ("estimate", 100_000)


def test_a_large_image_does_not_make_a_text_long() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:," + "A" * 300_000}}
    text = {"type": "text", "text": "hello world"}
    body = {"messages": [{"role": "user", "content": [image, text]}]}
    seen = COUNTER.count(uncounted(body))
    assert (seen.tokens_source, seen.usage.prompt_tokens) == ("tiktoken", 9)


def test_a_body_that_cannot_be_read_leaves_the_tokens_unknown() -> None:
    seen = COUNTER.count(observed(texts=Texts(b"{"), usage=Usage(), tokens_source="none"))
    assert (seen.usage, seen.tokens_source, seen.texts) == (Usage(), "none", None)


def test_what_needs_no_counting_is_left_alone() -> None:
    assert COUNTER.count(observed()) == observed()


def test_a_table_is_loaded_once() -> None:
    loads: list[str] = []

    def load(name: EncodingName) -> tiktoken.Encoding:
        loads.append(name)
        return COUNTER._encoding(name)

    counter = TokenCounter(load)
    for _ in range(3):
        counter.count(uncounted(HELLO, model_served="gpt-4o"))
    assert loads == ["o200k_base"]


def test_without_tables_exchanges_go_on_uncounted_and_it_is_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loads: list[str] = []

    def load(name: EncodingName) -> tiktoken.Encoding:
        loads.append(name)
        raise FileNotFoundError(name)

    counter = TokenCounter(load)
    for _ in range(3):
        seen = counter.count(uncounted(HELLO))
        assert (seen.tokens_source, seen.texts) == ("none", None)
    assert len(loads) == 1
    assert capsys.readouterr().out.count("tokens can't be counted") == 1
