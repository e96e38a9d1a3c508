"""Whom spans go to, under which names."""

import random
import time

from proxy import __version__
from proxy.app.told import AGENT
from proxy.config.settings import Settings
from proxy.sinks.metrics import Names
from proxy.sinks.tracing import Exporter
from proxy.sinks.tracing.requests import Requests


class Traced:
    """What sends spans; their `names` are those of the metrics."""

    def __init__(self, names: Names, host: str) -> None:
        self._names = names
        self._host = host
        self.exporter = Exporter(AGENT, clock=time.monotonic, wall=time.time, dice=random.random)

    def adopt(self, settings: Settings) -> None:
        """Send as `settings` say from now on."""
        self.exporter.adopt(self._requests(settings))

    def _requests(self, settings: Settings) -> Requests | None:
        """Return what writes requests for the collector; None: tracing is off."""
        if settings.tracing is None:
            return None
        return Requests(
            settings.tracing,
            self._names,
            settings.data_plane.upstreams,
            version=__version__,
            host=self._host,
        )
