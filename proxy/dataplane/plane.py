"""The Plane: all that is in force for an exchange that begins now.

Built once from the settings that control pushed, then only read; a worker keeps the current one
in a single slot. It puts live things (pools, tallies) beside the values that they serve.
"""

from collections.abc import Callable

from proxy.config.settings import DataPlane, Previews, UpstreamSettings
from proxy.dataplane.keys import Keyring, Tally
from proxy.dataplane.writing.heads import HeadWriter
from proxy.routing import Router
from proxy.routing.split import BITS
from proxy.upstream import Upstream

MASKING_MARGIN = 300  # characters


class Plane:
    """One set of settings, ready to serve."""

    __slots__ = (
        "heads",
        "keyring",
        "router",
        "seen_chars",
        "settings",
        "shadow_heads",
        "upstreams",
    )

    def __init__(
        self,
        settings: DataPlane,
        *,
        tally: Tally,
        upstream: Callable[[UpstreamSettings], Upstream],
        random_bits: Callable[[int], int],
    ) -> None:
        self.settings = settings
        self.router = Router(settings.table, lambda: random_bits(BITS))
        self.keyring = Keyring(settings.keys, tally)
        self.seen_chars = seen_chars(settings.previews)
        self.upstreams = {name: upstream(each) for name, each in settings.upstreams.items()}
        traced = settings.trace_share is not None
        self.heads = {
            name: HeadWriter(each, keys_are_ours=self.keyring.closed, traced=traced)
            for name, each in settings.upstreams.items()
        }
        self.shadow_heads = {
            name: HeadWriter(each, keys_are_ours=True, shadow=True, traced=traced)
            for name, each in settings.upstreams.items()
        }

    async def close(self) -> None:
        """Close every connection to every upstream."""
        for upstream in self.upstreams.values():
            await upstream.close()


def seen_chars(previews: Previews) -> int:
    """Return how much of an exchange's words goes to control, to be written down.

    Where patterns are masked some more than is shown: a secret that crosses the cut must be seen
    whole.
    """
    masked = previews.chars > 0 and previews.redact
    return previews.chars + MASKING_MARGIN if masked else previews.chars
