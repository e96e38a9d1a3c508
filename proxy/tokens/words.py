"""Words: what of a request's body is tokens, by dialect.

The figures for chat are those of OpenAI's cookbook, "How to count tokens with tiktoken"
(sections 6 and 7): 3 tokens a message, 1 for a name, 3 that begin the reply, and a formula
for function definitions. They were measured on OpenAI's chat models; for other models, and
for the responses and messages APIs, they are the best guess there is. Images, audio and files
are not counted: their cost depends on their size and the model. Pure: no tokenizer here.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

PER_MESSAGE = 3
PER_NAME = 1
PRIMING = 3
PER_PROPERTY, FIRST_PROPERTY = 3, 3
PER_ENUM_ITEM, FIRST_ENUM = 3, -3
AFTER_FUNCTIONS = 12


class Words(Struct, kw_only=True):
    """Text to be tokenized piece by piece, and tokens that are known without."""

    pieces: list[str] = []
    fixed: int = 0
    functions: int = 0  # defined ones: what each begins with depends on the encoding

    def say(self, *texts: Any) -> None:
        """Add the texts among `texts`; other values are not words."""
        self.pieces.extend(text for text in texts if isinstance(text, str))


def words_of(dialect: str, body: bytes) -> Words | None:
    """Return the words of a request's body; None: it can't be read."""
    read = READERS.get(dialect)
    words = Words()
    try:
        request = msgspec.json.decode(body)
        if read is None or not isinstance(request, dict):
            return None
        read(request, words)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return words


def read_chat(request: dict[str, Any], words: Words) -> None:
    """Read a chat completion's request."""
    words.fixed += PRIMING
    for message in objects(request.get("messages")):
        read_message(message, words)
    tools = [tool.get("function") for tool in objects(request.get("tools"))]
    read_functions([*objects(tools), *objects(request.get("functions"))], words)


def read_message(message: dict[str, Any], words: Words) -> None:
    """Read one message of any of the three APIs that have messages."""
    words.fixed += PER_MESSAGE
    words.say(message.get("role"), message.get("name"))
    if isinstance(message.get("name"), str):
        words.fixed += PER_NAME
    read_content(message.get("content"), words)
    for call in (*objects(message.get("tool_calls")), message):
        for member in ("function", "function_call"):
            for function in objects([call.get(member)]):
                words.say(function.get("name"), function.get("arguments"))


def read_content(content: Any, words: Words) -> None:
    """Read a message's content: text, or parts of which some are text."""
    words.say(content)
    for part in objects(content):
        words.say(part.get("text"), part.get("refusal"), part.get("thinking"))
        if part.get("type") == "tool_use":
            words.say(part.get("name"), compact(part.get("input")))
        if part.get("type") == "tool_result":
            read_content(part.get("content"), words)


def read_completions(request: dict[str, Any], words: Words) -> None:
    """Read a completion's request."""
    read_input(request.get("prompt"), words)
    words.say(request.get("suffix"))


def read_embeddings(request: dict[str, Any], words: Words) -> None:
    """Read an embedding's request."""
    read_input(request.get("input"), words)


def read_input(value: Any, words: Words) -> None:
    """Read one text or several, or what the client tokenized itself."""
    words.say(value)
    if isinstance(value, list):
        words.say(*value)
        words.fixed += sum(isinstance(token, int) for token in value)
        words.fixed += sum(len(tokens) for tokens in value if isinstance(tokens, list))


def read_responses(request: dict[str, Any], words: Words) -> None:
    """Read a request of the responses API."""
    words.fixed += PRIMING
    for text in (request.get("instructions"), request.get("input")):
        if isinstance(text, str):
            words.fixed += PER_MESSAGE
            words.say(text)
    for item in objects(request.get("input")):
        words.say(item.get("arguments"), item.get("output"))
        read_message(item, words)
    tools = objects(request.get("tools"))
    read_functions([tool for tool in tools if tool.get("type") == "function"], words)


def read_messages(request: dict[str, Any], words: Words) -> None:
    """Read a request of Anthropic's messages API."""
    words.fixed += PRIMING
    if request.get("system"):
        words.fixed += PER_MESSAGE
        read_content(request["system"], words)
    for message in objects(request.get("messages")):
        read_message(message, words)
    tools = objects(request.get("tools"))
    read_functions([tool | {"parameters": tool.get("input_schema")} for tool in tools], words)


def read_functions(functions: list[dict[str, Any]], words: Words) -> None:
    """Read function definitions, by the cookbook's formula."""
    if functions:
        words.fixed += AFTER_FUNCTIONS
    for function in functions:
        words.functions += 1
        words.say(f"{function.get('name')}:{sentence(function)}")
        for parameters in objects([function.get("parameters")]):
            read_properties(parameters.get("properties"), words)


def read_properties(properties: Any, words: Words) -> None:
    """Read a function's parameters; those nested in them are not in the formula."""
    if not isinstance(properties, dict) or not properties:
        return
    words.fixed += FIRST_PROPERTY
    for name, schema in properties.items():
        words.fixed += PER_PROPERTY
        for known in objects([schema]):
            options = known.get("enum")
            if isinstance(options, list):
                words.fixed += FIRST_ENUM + PER_ENUM_ITEM * len(options)
                words.say(*map(str, options))
            words.say(f"{name}:{known.get('type')}:{sentence(known)}")


def sentence(described: dict[str, Any]) -> str:
    """Return a description without its full stop."""
    text = described.get("description")
    return text.removesuffix(".") if isinstance(text, str) else ""


def compact(value: Any) -> str:
    """Return `value` as JSON without spaces."""
    return msgspec.json.encode(value).decode()


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a list; nothing where `value` is no list."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


READERS = {
    "chat": read_chat,
    "completions": read_completions,
    "embeddings": read_embeddings,
    "responses": read_responses,
    "messages": read_messages,
}
