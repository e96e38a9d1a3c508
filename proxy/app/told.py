"""Who is told of alerts, and of which nobody is."""

import random
import time

from sqlalchemy import Engine

from proxy import __version__
from proxy.controlplane.telling import Telling
from proxy.controlplane.watching.silencing import Silencing
from proxy.notifiers import Notifiers
from proxy.store import Silences

AGENT = f"turnout/{__version__}"  # to receivers and collectors


class Told:
    """Notifiers, silences, and the one way from an alert to those who are told."""

    def __init__(self, engine: Engine, host: str) -> None:
        self.silencing = Silencing(Silences(engine), time.time)
        self.notifiers = Notifiers(
            agent=AGENT, host=host, clock=time.monotonic, wall=time.time, dice=random.random
        )
        self.telling = Telling(
            self.notifiers, clock=time.monotonic, silenced=self.silencing.silenced
        )
