"""How far a version has come: on which of the hosts that share a store it is in force."""

from proxy.rollout.spread.hosts import Host, Late, Reach, State, reach, state, why_late

__all__ = ["Host", "Late", "Reach", "State", "reach", "state", "why_late"]
