"""What TA-Lib says of itself, and our look-back kinds, as rows of signals/catalogue.csv.

``python tests/signals/catalogue_from_talib.py`` prints the file.
"""

from __future__ import annotations

import csv
import sys
from importlib import import_module
from typing import Any

import numpy as np

talib: Any = import_module("talib")
abstract: Any = import_module("talib.abstract")

ANCHORED = {
    # path-dependent from the first bar
    *("AD", "ADOSC", "CUMSUM", "NVI", "OBV", "PVI", "PVT", "SAR", "SAREXT", "SUPERTREND"),
    *("VWAP", "WAD"),
    # smoothing constants that depend on the data
    *("HT_DCPERIOD", "HT_DCPHASE", "HT_PHASOR", "HT_SINE", "HT_TRENDLINE", "HT_TRENDMODE"),
    *("KAMA", "MAMA"),
}
POSITIONS = {"MAXINDEX", "MININDEX", "MINMAXINDEX"}
RECURSIVE = {
    "ADX": "wilder:timeperiod*2",
    "ADXR": "wilder:timeperiod*2",
    "APO": "ma:fastperiod:matype|ma:slowperiod:matype",
    "ATR": "wilder:timeperiod",
    "BBANDS": "ma:timeperiod:matype",
    "CMO": "wilder:timeperiod",
    "CVI": "ema:timeperiod",
    "DEMA": "ema:timeperiod*2",
    "DX": "wilder:timeperiod",
    "EFI": "ema:timeperiod",
    "EMA": "ema:timeperiod",
    "ERI": "ema:timeperiod",
    "HA": "alpha:0.5",
    "KC": "ema:timeperiod|wilder:atrperiod",
    "KDJ": "ma:slowk_period:slowk_matype>ma:slowd_period:slowd_matype",
    "MA": "ma:timeperiod:matype",
    "MACD": "ema:fastperiod|ema:slowperiod>ema:signalperiod",
    "MACDEXT": "ma:fastperiod:fastmatype|ma:slowperiod:slowmatype>ma:signalperiod:signalmatype",
    "MACDFIX": "alpha:0.075>ema:signalperiod",
    "MASSI": "ema:fastperiod*2",
    "MAVP": "ma:maxperiod:matype",
    "MINUS_DI": "wilder:timeperiod",
    "MINUS_DM": "wilder:timeperiod",
    "NATR": "wilder:timeperiod",
    "PLUS_DI": "wilder:timeperiod",
    "PLUS_DM": "wilder:timeperiod",
    "PPO": "ma:fastperiod:matype|ma:slowperiod:matype",
    "PVO": "ma:fastperiod:matype|ma:slowperiod:matype",
    "RMA": "wilder:timeperiod",
    "RSI": "wilder:timeperiod",
    "RVI": "wilder:timeperiod",
    "SMI": "ema:slowperiod>ema:fastperiod>ema:signalperiod",
    "STOCH": "ma:slowk_period:slowk_matype>ma:slowd_period:slowd_matype",
    "STOCHF": "ma:fastd_period:fastd_matype",
    "STOCHRSI": "wilder:timeperiod>ma:fastd_period:fastd_matype",
    "T3": "ema:timeperiod*6",
    "TEMA": "ema:timeperiod*3",
    "TRIX": "ema:timeperiod*3",
    "TSI": "ema:firstperiod>ema:secondperiod",
    "ZLEMA": "ema:timeperiod",
}
HEADER = ["name", "group", "series", "prices", "parameters", "outputs", "kind", "rule"]
_WHOLE = (0, 1, 2, 3)
_REAL = (-1e30, -1.0, 0.0, 0.01, 0.05, 0.5, 0.99, 1.0, 100.0, 1e30)


def sample_bars(count: int, seed: int = 5) -> dict[str, Any]:
    """Daily bars of a random walk, float64, and a series of periods for MAVP."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.012, count)))
    opened = close * np.exp(random.normal(0, 0.004, count))
    spread = np.abs(random.normal(0, 0.004, (2, count)))
    return {
        "open": opened,
        "high": np.maximum(opened, close) * np.exp(spread[0]),
        "low": np.minimum(opened, close) * np.exp(-spread[1]),
        "close": close,
        "volume": np.exp(random.normal(15, 0.4, count)),
        "periods": random.integers(2, 30, count).astype(np.float64),
    }


def _accepts(name: str, parameter: str, value: float) -> bool:
    function = abstract.Function(name)
    try:
        function(sample_bars(120), **{parameter: value})
    except Exception:  # noqa: BLE001  # TA-Lib raises a bare Exception for a bad parameter
        return False
    return True


def _parameter(name: str, parameter: str, default: float) -> str:
    whole = isinstance(default, int)
    good = [v for v in (_WHOLE if whole else _REAL) if _accepts(name, parameter, v)]
    highest = "" if whole else f"{good[-1]:g}"
    if parameter.endswith("matype"):
        return f"{parameter}={default}:0:13"
    return f"{parameter}={default}:{good[0]:g}:{highest}"


def _inputs(info: dict[str, Any]) -> tuple[str, str]:
    series = [key for key in info["input_names"] if key != "prices"]
    return " ".join(series), " ".join(info["input_names"].get("prices", ()))


def _kind(name: str) -> tuple[str, str]:
    if name in ANCHORED:
        return "ANCHORED", ""
    if name in RECURSIVE:
        return "RECURSIVE", RECURSIVE[name]
    return "FINITE", "position" if name in POSITIONS else ""


def rows() -> list[list[str]]:
    """The whole catalogue, sorted by name."""
    found = []
    for name in sorted(talib.get_functions()):
        info = abstract.Function(name).info
        parameters = " ".join(_parameter(name, p, d) for p, d in info["parameters"].items())
        outputs = " ".join(info["output_names"])
        found.append(
            [name, info["group"], *_inputs(info), parameters, outputs, *_kind(name)],
        )
    return found


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([HEADER, *rows()])
