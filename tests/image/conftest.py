"""A real model server behind the container: the one of tests/real."""

from tests.real.conftest import llama

__all__ = ["llama"]
