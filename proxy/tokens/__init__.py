"""Counting tokens where the upstream did not: tiktoken, without its download."""

from proxy.tokens.counter import TokenCounter

__all__ = ["TokenCounter"]
