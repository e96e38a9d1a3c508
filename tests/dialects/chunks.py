"""Ways to cut bytes into chunks."""

from collections.abc import Iterator

from hypothesis import strategies as st


def in_two(data: bytes) -> Iterator[list[bytes]]:
    """Yield `data` cut at every byte boundary, the two ends included."""
    for at in range(len(data) + 1):
        yield [data[:at], data[at:]]


def in_pieces(data: bytes, size: int) -> list[bytes]:
    """Return `data` in pieces of `size`."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def cut(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """Draw any cutting of `data`, empty chunks included."""
    places = st.lists(st.integers(0, len(data)), max_size=8).map(sorted)
    return places.map(
        lambda at: [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True)]
    )
