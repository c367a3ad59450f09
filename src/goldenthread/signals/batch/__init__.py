"""Many dates at once: what strategies decide for one symbol, as columns."""

from goldenthread.signals.batch.decisions import Batch, Decisions, Levels
from goldenthread.signals.batch.peers import KEPT_BYTES, Peers

__all__ = ["KEPT_BYTES", "Batch", "Decisions", "Levels", "Peers"]
