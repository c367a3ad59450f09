"""Many dates at once: what strategies decide for one symbol, as columns."""

from goldenthread.signals.batch.decisions import Batch, Decisions, Levels
from goldenthread.signals.batch.peers import Peers

__all__ = ["Batch", "Decisions", "Levels", "Peers"]
