"""A model of random weights in a GGUF file: real to llama.cpp, half a megabyte, made in a second.

What it says is nonsense made of whole words, and the same nonsense for the same prompt at
temperature 0. It knows nothing of servers.
"""

from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WIDTH, INNER, HEADS, LAYERS = 64, 128, 2, 2
CONTEXT = 4096
WORDS = """
    the a model train switch track signal route answer question is was will can may not and or of
    in on to with fast slow small good new old one two three red green left right yes no hello
    world station city river time day night people work
""".split()  # noqa: SIM905  # fifty quotation marks would hide the words
LETTERS = "abcdefghijklmnopqrstuvwxyz.,!?"
PUNCTUATION = '{}[]":,'  # what JSON is made of, so that a grammar comes to its end
UNKNOWN, BEGIN, END = 0, 1, 2
FIRST_BYTE = 3
FIRST_WORD = FIRST_BYTE + 256

CHAT_TEMPLATE = """\
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def write_model(path: Path) -> None:
    """Write the model to `path`; the same bytes every time."""
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer)
    _tokens(writer)
    _weights(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter) -> None:
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_chat_template(CHAT_TEMPLATE)


def _vocabulary() -> list[tuple[str, gguf.TokenType]]:
    return [
        ("<unk>", gguf.TokenType.UNKNOWN),
        ("<s>", gguf.TokenType.CONTROL),
        ("</s>", gguf.TokenType.CONTROL),
        *((f"<0x{value:02X}>", gguf.TokenType.BYTE) for value in range(256)),
        *(("\N{LOWER ONE EIGHTH BLOCK}" + word, gguf.TokenType.NORMAL) for word in WORDS),
        *((letter, gguf.TokenType.NORMAL) for letter in LETTERS),
    ]


def _tokens(writer: gguf.GGUFWriter) -> None:
    vocabulary = _vocabulary()
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in vocabulary])
    writer.add_token_scores([-float(rank) for rank in range(len(vocabulary))])
    writer.add_token_types([int(kind) for _, kind in vocabulary])
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_add_space_prefix(value=False)  # a grammar reads its prompt back as it was written


def _weights(writer: gguf.GGUFWriter) -> None:
    dice = np.random.default_rng(7)

    def random(*shape: int) -> Floats:
        numbers: Floats = dice.standard_normal(shape, dtype=np.float32)
        return numbers * np.float32(shape[-1] ** -0.5)

    tokens = len(_vocabulary())
    embeddings = random(tokens, WIDTH) * np.float32(WIDTH**0.5)
    embeddings[:, 0] = 1.0  # alike for all tokens, so that it can carry a bias to the output
    writer.add_tensor("token_embd.weight", embeddings)
    ones = np.ones(WIDTH, np.float32)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        writer.add_tensor(block + "attn_norm.weight", ones)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{block}{name}.weight", 2 * random(WIDTH, WIDTH))
        writer.add_tensor(block + "ffn_norm.weight", ones)
        writer.add_tensor(block + "ffn_gate.weight", random(INNER, WIDTH))
        writer.add_tensor(block + "ffn_up.weight", random(INNER, WIDTH))
        writer.add_tensor(block + "ffn_down.weight", 3 * random(WIDTH, INNER))
    writer.add_tensor("output_norm.weight", ones)
    output = random(tokens, WIDTH) * np.float32(WIDTH**0.5)
    output[:FIRST_WORD] *= 0.01
    output[:, 0] = _liking(tokens)
    writer.add_tensor("output.weight", output)


def _liking(tokens: int) -> Floats:
    """How much each token is preferred: words, then JSON's marks and letters, never the rest."""
    liking = np.full(tokens, -8.0, np.float32)
    liking[FIRST_WORD:] = -2.0
    liking[FIRST_WORD : FIRST_WORD + len(WORDS)] = 4.0
    for mark in PUNCTUATION:
        liking[FIRST_BYTE + ord(mark)] = -3.0
    liking[FIRST_BYTE + ord('"')] = -1.0  # strings come to an end soon
    return liking
