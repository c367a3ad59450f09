"""How much of a Sharpe ratio may be luck: of a short record, and of having tried often.

Sharpe ratios here are per period (a day), never annualised: daily returns give a daily ratio.
What is not defined (no variance, too few returns) is None.

Source: D. Bailey and M. Lopez de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk
15 (2012), and "The Deflated Sharpe Ratio", Journal of Portfolio Management 40 (2014).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from goldenthread.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from goldenthread.domain.bar import FloatArray

_EULER = 0.5772156649015329
_FEWEST = 3
_NOISE = 1e-12
_NORMAL = NormalDist()


class Record(NamedTuple):
    """What a track record says: its Sharpe ratio, from how many returns, and how they are shaped.

    ``kurtosis`` is that of the distribution itself (3 for a normal one), not the excess.
    """

    sharpe: float
    periods: int
    skewness: float = 0.0
    kurtosis: float = 3.0


class Trials(NamedTuple):
    """Everything ever tried on the same data: how often, and how far the results lay apart.

    ``variance`` is that of the trials' Sharpe ratios, per period like the record's.
    """

    number: int
    variance: float


def record_of(returns: FloatArray) -> Record | None:
    """The record of simple returns, one a period; None with under three or without variance.

    Sharpe is mean over sample deviation; skewness and kurtosis are those of the population:
    ``m3 / m2 ** 1.5`` and ``m4 / m2 ** 2``. Returns must not hold NaN.
    """
    if len(returns) < _FEWEST:
        return None
    mean = float(np.mean(returns))
    moved = returns - mean
    spread = float(np.mean(moved**2))
    if math.sqrt(spread) <= _NOISE:
        return None
    deviation = math.sqrt(spread * len(returns) / (len(returns) - 1))
    skewness = float(np.mean(moved**3)) / spread**1.5
    return Record(mean / deviation, len(returns), skewness, float(np.mean(moved**4)) / spread**2)


def trials_of(sharpes: Sequence[float]) -> Trials:
    """Count and sample variance of the trials' Sharpe ratios; a single one has variance 0.

    Raises:
        UsageError: There is none.
    """
    if not sharpes:
        msg = "no trials; at least the one that is judged was run: count it"
        raise UsageError(msg)
    return Trials(len(sharpes), float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0)


def probabilistic_sharpe(record: Record, benchmark: float = 0.0) -> float | None:
    """The probability that the true Sharpe ratio is above ``benchmark`` (2012, equation 11).

    ``Phi((SR - SR*) sqrt(T - 1) / sqrt(1 - skewness SR + (kurtosis - 1) / 4 SR**2))``; None
    where the shape leaves no error to divide by.
    """
    sharpe = record.sharpe
    error = 1 - record.skewness * sharpe + (record.kurtosis - 1) / 4 * sharpe**2
    if record.periods < _FEWEST or error <= _NOISE:
        return None
    return _NORMAL.cdf((sharpe - benchmark) * math.sqrt(record.periods - 1) / math.sqrt(error))


def expected_best(trials: Trials) -> float:
    """The Sharpe ratio the best of so many trials shows although none has any skill.

    ``sqrt(V) ((1 - g) z(1 - 1 / N) + g z(1 - 1 / (N e)))`` with Euler's constant g and the
    normal quantile z (2014, equation 1); 0 for a single trial.

    Raises:
        UsageError: Fewer than one trial, or a variance that is negative or no number.
    """
    count, variance = trials
    if count < 1 or not (math.isfinite(variance) and variance >= 0):
        msg = (
            f"{count} trials with variance {variance}: there is at least one trial, and a variance"
            " is a number from 0 up; count every trial ever run on these bars"
        )
        raise UsageError(msg)
    if count == 1:
        return 0.0
    usual = _NORMAL.inv_cdf(1 - 1 / count)
    rare = _NORMAL.inv_cdf(1 - 1 / (count * math.e))
    return math.sqrt(variance) * ((1 - _EULER) * usual + _EULER * rare)


def deflated_sharpe(record: Record, trials: Trials) -> float | None:
    """The probability of skill, given how often one tried (2014, equation 2).

    ``probabilistic_sharpe`` against ``expected_best``: below 0.95 the best of the trials is no
    more than the best of so many is by chance.

    Raises:
        UsageError: The trials are not right; ``expected_best`` says how.
    """
    return probabilistic_sharpe(record, expected_best(trials))
