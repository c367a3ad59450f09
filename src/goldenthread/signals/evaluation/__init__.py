"""Values of expressions at a decision date, and whom and what it may read."""

from goldenthread.signals.evaluation.calculator import REF_MAX_DAYS, Calculator, Memo, no_inputs
from goldenthread.signals.evaluation.moment import Moment, is_true

__all__ = ["REF_MAX_DAYS", "Calculator", "Memo", "Moment", "is_true", "no_inputs"]
