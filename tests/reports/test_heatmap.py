"""The map of two parameters: what a cell stands for, and how it is drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import polars as pl
import pytest

from goldenthread.domain.errors import UsageError
from goldenthread.reports.heatmap import Heatmap, colour, heatmap, heatmap_svg

RESULTS = pl.DataFrame(
    {
        "stop": [1.0, 1.0, 1.0, 2.0, 2.0, 2.0],
        "fast": [5, 5, 10, 5, 10, 10],
        "slow": [20, 30, 20, 20, 20, 30],
        "sharpe": [0.5, 1.5, float("nan"), -1.0, 0.25, None],
    }
)
SVG = "{http://www.w3.org/2000/svg}"
PARAMETERS = ("stop", "fast", "slow")


def drawn(shown: Heatmap) -> ET.Element:
    return ET.fromstring(heatmap_svg(shown, "{:.2f}".format))  # noqa: S314  # our own text


def test_a_cell_is_the_median_over_what_is_on_no_axis() -> None:
    found = heatmap(RESULTS, ("fast", "stop"), "sharpe", PARAMETERS)
    assert found.table().to_dicts() == [
        {"stop": 1.0, "5": 1.0, "10": None},
        {"stop": 2.0, "5": -1.0, "10": 0.25},
    ]
    assert found.counts == ((2, 0), (1, 1))
    assert found.title == "sharpe by fast and stop, median over slow"


def test_the_best_is_asked_for_by_name() -> None:
    found = heatmap(RESULTS, ("fast", "stop"), "sharpe", PARAMETERS, "best")
    assert found.cells == ((1.5, None), (-1.0, 0.25))
    assert found.title == "sharpe by fast and stop, best over slow"


def test_two_parameters_alone_are_not_said_to_stand_for_others() -> None:
    found = heatmap(RESULTS.unique(["stop", "fast"]), ("stop", "fast"), "sharpe", ("stop", "fast"))
    assert found.title == "sharpe by stop and fast"


@pytest.mark.parametrize("axes", [("fast", "fast"), ("fast", "sharpe"), ("speed", "stop")])
def test_an_axis_that_was_not_varied_is_refused_with_those_that_were(axes: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match=r"stop, fast, slow.*sharpe"):
        heatmap(RESULTS, axes, "sharpe", PARAMETERS)


def test_equal_sizes_of_gain_and_loss_are_equally_far_from_pale() -> None:
    pale, gain, loss = (colour(v, -2, 2) for v in (0, 2, -2))
    assert (pale, gain, loss) == ((244, 241, 232), (16, 62, 120), (178, 80, 8))
    assert colour(1, -2, 1) == colour(1, -2, 2)
    assert colour(-3, -3, -1) == loss
    assert colour(3, 1, 3) == gain


def test_the_drawing_is_whole_and_says_each_figure() -> None:
    found = drawn(heatmap(RESULTS, ("fast", "stop"), "sharpe", PARAMETERS))
    titles = [e.text for e in found.iter(f"{SVG}title")]
    assert titles == [
        "sharpe by fast and stop, median over slow",
        "fast 5, stop 1: 1.00",
        "fast 10, stop 1: no result",
        "fast 5, stop 2: -1.00",
        "fast 10, stop 2: 0.25",
    ]
    words = {e.text for e in found.iter(f"{SVG}text")}
    assert {"1.00", "-1.00", "0.25", "5", "10", "1", "2", "fast", "stop"} <= words
    assert "href" not in ET.tostring(found, "unicode")


def test_a_map_of_many_values_thins_out_its_names() -> None:
    many = pl.DataFrame({"a": range(120)}).join(pl.DataFrame({"b": range(90)}), how="cross")
    many = many.with_columns((pl.col("a") * pl.col("b") / 1000).alias("f"))
    found = drawn(heatmap(many, ("a", "b"), "f", ("a", "b")))
    assert len(list(found.iter(f"{SVG}rect"))) == 120 * 90 + 1
    assert len(list(found.iter(f"{SVG}text"))) < 60


def test_a_map_without_a_figure_is_a_sentence() -> None:
    nothing = RESULTS.with_columns(pl.lit(None, pl.Float64).alias("sharpe"))
    found = heatmap_svg(heatmap(nothing, ("fast", "stop"), "sharpe", PARAMETERS), str)
    assert found.startswith('<p class="note">sharpe by fast and stop')
