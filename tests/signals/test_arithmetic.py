from __future__ import annotations

import numpy as np
import pytest

from goldenthread.signals.arithmetic import as_series, combine

NULL = float("nan")


@pytest.mark.parametrize(
    ("op", "parts", "expected"),
    [
        ("+", [1.5, 2.0], 3.5),
        ("-", [1.5, 2.0], -0.5),
        ("*", [1.5, 2.0], 3.0),
        ("/", [3.0, 2.0], 1.5),
        ("%", [-7.0, 3.0], 2.0),  # as Python: the sign of the divisor
        ("**", [2.0, 10.0], 1024.0),
        ("neg", [2.0], -2.0),
        ("<", [1.0, 1.0], 0.0),
        ("<=", [1.0, 1.0], 1.0),
        ("!=", [1.0, 2.0], 1.0),
        ("and", [1.0, 1.0, 0.0], 0.0),
        ("or", [0.0, 0.0, 1.0], 1.0),
        ("not", [0.0], 1.0),
        ("if", [1.0, 5.0, 6.0], 5.0),
        ("if", [0.0, 5.0, 6.0], 6.0),
    ],
)
def test_signs_mean_what_they_mean_in_python(op: str, parts: list[float], expected: float) -> None:
    assert float(combine(op, parts)) == expected
    series = combine(op, [np.array([part, part]) for part in parts])
    assert series.tolist() == [expected, expected]


@pytest.mark.parametrize(
    ("op", "parts"),
    [
        ("+", [1.0, NULL]),
        ("<", [NULL, 1.0]),
        ("!=", [NULL, NULL]),
        ("or", [1.0, NULL]),  # true beside null is null all the same
        ("and", [0.0, NULL]),
        ("not", [NULL]),
        ("if", [1.0, 5.0, NULL]),  # the branch not taken counts too
        ("if", [NULL, 5.0, 6.0]),
        ("/", [1.0, 0.0]),
        ("/", [0.0, 0.0]),
        ("%", [1.0, 0.0]),
        ("**", [10.0, 400.0]),  # overflow
        ("**", [-1.0, 0.5]),  # no real root
        ("**", [0.0, -1.0]),
    ],
)
def test_a_null_part_and_what_is_not_finite_make_null(op: str, parts: list[float]) -> None:
    assert np.isnan(combine(op, parts))
    assert np.isnan(combine(op, [np.array([part]) for part in parts])).all()


def test_a_number_becomes_one_value_a_bar() -> None:
    assert as_series(np.float64(2.5), 3).tolist() == [2.5, 2.5, 2.5]
