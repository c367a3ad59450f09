"""Permutations suggested by a sampler that learns from the figures of earlier ones (Optuna).

Source: J. Bergstra and others, "Algorithms for Hyper-Parameter Optimization", NIPS (2011), for
the tree-structured Parzen estimator, as Optuna has it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from goldenthread.domain.errors import UsageError
from goldenthread.research.sweep.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optuna import Study, Trial

    from goldenthread.research.sweep.grid import Axis, Values

BATCH = 50
"""How many are suggested before any of them is priced: the engine prices them together."""


class Search(NamedTuple):
    """How many suggestions are asked for, which random draw, and whether less is better."""

    trials: int
    seed: int
    less: bool


def suggested(
    axes: Sequence[Axis], search: Search, price: Callable[[Grid], dict[Values, float | None]]
) -> Grid:
    """The distinct permutations that were suggested and priced, in that order.

    The same axes, search and prices give the same. It ends early when everything was tried.

    Args:
        axes: The values each parameter may take.
        search: How many, how.
        price: The objective of each permutation of a grid; None where it has none.

    Raises:
        UsageError: Optuna is not installed, or fewer than one trial is asked for.
    """
    if search.trials < 1:
        msg = f"--trials got {search.trials}; it is a number of permutations from 1"
        raise UsageError(msg)
    study = _study(search)
    known: dict[Values, float | None] = {}
    every, names = math.prod(len(axis.values) for axis in axes), tuple(axis.name for axis in axes)
    for first in range(0, search.trials, BATCH):
        asked = [_asked(study, axes) for _ in range(min(BATCH, search.trials - first))]
        new = dict.fromkeys(row for _, row in asked if row not in known)
        if new:
            known.update(price(Grid(names, tuple(new))))
        for trial, row in asked:
            _tell(study, trial, known[row])
        if len(known) == every:
            break
    return Grid(names, tuple(known))


def _study(search: Search) -> Study:
    try:
        import optuna  # noqa: PLC0415  # an extra
    except ImportError as error:
        msg = f"--search tpe needs {error.name}: pip install 'goldenthread[optuna]'"
        raise UsageError(msg) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=search.seed, n_startup_trials=BATCH)
    return optuna.create_study(sampler=sampler, direction="minimize" if search.less else "maximize")


def _asked(study: Study, axes: Sequence[Axis]) -> tuple[Trial, Values]:
    """A suggestion: the place of each value on its axis, as the order of values means something."""
    trial = study.ask()
    places = (trial.suggest_int(axis.name, 0, len(axis.values) - 1) for axis in axes)
    return trial, tuple(axis.values[at] for axis, at in zip(axes, places, strict=True))


def _tell(study: Study, trial: Trial, value: float | None) -> None:
    from optuna.trial import TrialState  # noqa: PLC0415  # an extra

    if value is None:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, value)
