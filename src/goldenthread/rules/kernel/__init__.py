"""The fill and exit rules compiled: tickets ridden over a tape, hundreds of millions a minute."""

from goldenthread.rules.kernel.riding import execute, ride

__all__ = ["execute", "ride"]
