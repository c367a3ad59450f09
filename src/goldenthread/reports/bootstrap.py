"""How sure a sum over days is: the stationary bootstrap, blocks of days drawn again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from goldenthread.domain.bar import FloatArray

LEVEL = 0.98
"""The share of the drawn histories whose sum lies in an interval.

Intervals of percentiles cover less than they say, most with few blocks and fat tails: in
histories of known worth these hold the truth in 93 to 97 of 100, where 0.95 gives 87 to 94.
"""

REPLICATES = 1000
"""How many histories are drawn."""

FEWEST_BLOCKS = 8
"""A span of fewer blocks than this says nothing about how sure its sum is."""

_SEED = 1994
_AT_ONCE = 100


def block_days(held: float, days: int) -> int:
    """The expected length of a block, in days, for trades held so long on average.

    Trades opened within one holding time share the market of the same sessions, so a block is
    as long as they were held; never shorter than the cube root of the days, the rate at which
    blocks must grow with a history. Rounded to a power of two, so that many sums share draws.

    Source: Politis & White (2004), Automatic block-length selection for the dependent bootstrap.
    """
    wanted = max(held, days ** (1 / 3), 1.0)
    return int(2 ** round(np.log2(wanted)))


def sum_interval(daily: FloatArray, block: int) -> FloatArray:
    """The interval around the sum of each column over its days.

    Args:
        daily: One row a day of the whole span, days without money included (0), in time order;
            one column a sum.
        block: The expected length of a block, in days.

    Returns:
        Two rows, low and high; NaN where the span has fewer than ``FEWEST_BLOCKS`` blocks. The
        same figures give the same interval, always.

    Source: Politis & Romano (1994), The stationary bootstrap; percentile interval.
    """
    days, columns = daily.shape
    if days < FEWEST_BLOCKS * block:
        return np.full((2, columns), np.nan)
    rng = np.random.default_rng(_SEED)
    sums = [
        _times_drawn(resampled_days(days, block, rng, _AT_ONCE)) @ daily
        for _ in range(REPLICATES // _AT_ONCE)
    ]
    outside = (1 - LEVEL) / 2
    return np.quantile(np.concatenate(sums), [outside, 1 - outside], axis=0)


def resampled_days(
    days: int, block: int, rng: np.random.Generator, count: int
) -> NDArray[np.int64]:
    """Histories drawn from one: ``count`` rows of ``days`` day numbers.

    A block begins anywhere and goes on day by day, past the last day with the first; with
    probability ``1 / block`` the next day begins another one.
    """
    place = np.arange(days)
    begins = rng.random((count, days)) < 1 / block
    begins[:, 0] = True
    begun = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    starts = rng.integers(days, size=(count, days))
    drawn: NDArray[np.int64] = (np.take_along_axis(starts, begun, axis=1) + place - begun) % days
    return drawn


def _times_drawn(drawn: NDArray[np.int64]) -> FloatArray:
    """How often each day is in each history."""
    count, days = drawn.shape
    cells = drawn + days * np.arange(count)[:, None]
    return np.bincount(cells.ravel(), minlength=count * days).reshape(count, days).astype(float)
