"""The demo: two simulated models, a real turnout between them and some traffic, and a live view.

It shows what turnout itself says, in its log and its metrics. It knows turnout only from outside:
a program, a configuration, two ports.
"""

from proxy.demo.run import Options, run_demo

__all__ = ["Options", "run_demo"]
