"""The counter: an observation with texts in, the same with tokens out.

It computes, and at its first call loads tables, for as long as that takes: whoever calls it
does so off the event loop, from one thread. Texts never leave it.
"""

from collections.abc import Callable

import structlog
import tiktoken
from msgspec.structs import replace

from proxy.exchange.exchange import per_token
from proxy.exchange.observation import Observation, Texts, Usage
from proxy.tokens.tables import EncodingName, encoding_name, load
from proxy.tokens.words import Words, words_of

EXACT_BYTES = 200_000  # of text: 60 ms at worst; above, an estimate
BYTES_PER_TOKEN = 4  # English prose; OpenAI's rule of thumb
FUNCTION_BEGINS = {"o200k_base": 7, "cl100k_base": 10}  # tokens, by the cookbook


class TokenCounter:
    """Counts with the encoding of the model that served."""

    def __init__(self, load: Callable[[EncodingName], tiktoken.Encoding] = load) -> None:
        self._load = load
        self._encodings: dict[EncodingName, tiktoken.Encoding] = {}
        self._broken = False

    def count(self, seen: Observation) -> Observation:
        """Return `seen` with its tokens counted and its texts gone."""
        bare = replace(seen, texts=None)
        if seen.texts is None or self._broken:
            return bare
        name = encoding_name(seen.model_served or seen.model_asked)
        try:
            encoding = self._encoding(name)
        except (ImportError, OSError, ValueError, AttributeError) as failure:
            self._broken = True
            structlog.get_logger().error("tokens can't be counted", reason=repr(failure))
            return bare
        return counted(bare, seen.texts, encoding, name)

    def _encoding(self, name: EncodingName) -> tiktoken.Encoding:
        if name not in self._encodings:
            self._encodings[name] = self._load(name)
        return self._encodings[name]


def counted(
    bare: Observation, texts: Texts, encoding: tiktoken.Encoding, name: EncodingName
) -> Observation:
    """Return `bare` with the tokens of `texts` and what follows from them."""
    request = words_of(bare.dialect, texts.prompt)
    if request is None:
        return bare
    reply = Words(pieces=[texts.reply])
    said = max(size(reply), bare.reply_chars or 0)  # more than came: the text was cut short
    exact = said == size(reply) and said + size(request) <= EXACT_BYTES
    if exact:
        prompt, response = tokens(request, encoding), tokens(reply, encoding)
    else:
        prompt, response = size(request) // BYTES_PER_TOKEN, said // BYTES_PER_TOKEN
    usage = Usage(
        prompt_tokens=prompt + request.fixed + request.functions * FUNCTION_BEGINS[name],
        response_tokens=None if bare.dialect == "embeddings" else response,
    )
    return replace(
        bare,
        usage=usage,
        tokens_source="tiktoken" if exact else "estimate",
        tpot_ms=per_token(bare.output_ms, usage.response_tokens),
    )


def tokens(words: Words, encoding: tiktoken.Encoding) -> int:
    """Return how many tokens the text is; special tokens in it are text."""
    return sum(len(encoding.encode_ordinary(piece)) for piece in words.pieces)


def size(words: Words) -> int:
    """Return the bytes of the text."""
    return sum(len(piece.encode("utf-8", "replace")) for piece in words.pieces)
