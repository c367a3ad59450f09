from __future__ import annotations

import datetime as dt
import re
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

from goldenthread.reports.explain.candles import Candle, CandleChart, Level, Mark, candle_chart

FIRST = dt.date(2024, 1, 1)
_SVG = "{*}"


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


CANDLES = [Candle(day(n), 100 + n, 102 + n, 99 + n, 101 + n) for n in range(10)]


def drawn(
    levels: tuple[Level, ...] = (),
    marks: tuple[Mark, ...] = (),
    candles: list[Candle] = CANDLES,
) -> ET.Element:
    chart = CandleChart(
        title="A & B", decided=day(4), candles=candles, levels=levels, marks=marks, label=str
    )
    return ET.fromstring(candle_chart(chart))  # noqa: S314  # our own


def _y(text: str) -> list[float]:
    return [float(point.split(",")[1]) for point in text.split()]


def test_every_session_is_a_candle_that_says_its_prices() -> None:
    falling = [*CANDLES[:-1], Candle(day(9), 110, 111, 100, 101)]
    found = drawn(candles=falling)
    assert len(found.findall(f"{_SVG}g[@class='up']")) == 9
    (down,) = found.findall(f"{_SVG}g[@class='down']")
    assert down.findtext(f"{_SVG}title") == "2024-01-10: open 110, high 111, low 100, close 101"
    body, wick = down.find(f"{_SVG}rect"), down.find(f"{_SVG}line")
    assert body is not None
    assert wick is not None
    assert float(wick.attrib["y1"]) < float(body.attrib["y"])  # a high above the open
    assert float(wick.attrib["y2"]) > float(body.attrib["y"]) + float(body.attrib["height"])


def test_a_level_that_moves_is_a_stair_that_ends_with_its_story() -> None:
    steps = ((day(4), 98.0), (day(6), 100.0), (day(7), 103.0))
    found = drawn(levels=(Level("stop 103", "stop", steps, day(8)),))
    (line,) = found.findall(f"{_SVG}polyline")
    points = line.attrib["points"]
    across = [float(point.split(",")[0]) for point in points.split()]
    assert _y(points) == sorted(_y(points), reverse=True)  # up is a smaller y
    assert len(set(_y(points))) == 3
    step = across[-1] - across[-2]  # 7 to 8: one session; 4 to 6: two
    assert abs((across[1] - across[0]) - 2 * step) < 0.2
    assert "stop 103" in found.itertext()


def test_names_of_levels_that_are_close_do_not_touch() -> None:
    close = [Level(f"level {n}", "target", ((day(4), 104 + n / 10),), day(8)) for n in range(4)]
    found = drawn(levels=tuple(close))
    rows = sorted(float(t.attrib["y"]) for t in found.findall(f"{_SVG}text[@class='named target']"))
    assert len(rows) == 4
    assert all(after - before >= 15 for before, after in pairwise(rows))


def test_words_of_marks_keep_clear_of_one_another_and_of_candles() -> None:
    level = [Candle(day(n), 100, 102, 99, 101) for n in range(10)]
    marks = tuple(Mark(day(n), 101.0, "sell 10 at 101", "sell", below=False) for n in (4, 5, 6))
    found = drawn(marks=marks, candles=level)
    words = found.findall(f"{_SVG}text[@class='value']")
    places = [(float(t.attrib["x"]), float(t.attrib["y"])) for t in words]
    for one, other in combinations(places, 2):  # 14 letters are about 100 wide
        assert abs(one[0] - other[0]) >= 100 or abs(one[1] - other[1]) >= 14.9
    assert len({y for _, y in places}) == 2  # the first and the last have room side by side
    wicks = [line.attrib for line in found.findall(f"{_SVG}g/{_SVG}line")]
    for word in words:
        middle = float(word.attrib["x"])
        beside = [float(w["y1"]) for w in wicks if abs(float(w["x1"]) - middle) < 50]
        assert float(word.attrib["y"]) < min(beside)


def test_a_chart_without_candles_is_a_sentence_and_texts_are_escaped() -> None:
    empty = CandleChart("A & B", FIRST, [], (), (), str)
    assert candle_chart(empty) == '<p class="note">A &amp; B: there are no bars to draw.</p>'
    assert drawn().findtext(f"{_SVG}title") == "A & B"


def test_a_date_is_written_at_most_about_ten_times() -> None:
    many = [Candle(day(n), 100, 101, 99, 100) for n in range(300)]
    texts = [t.text or "" for t in drawn(candles=many).findall(f"{_SVG}text")]
    assert 4 <= sum(bool(re.fullmatch(r"\d\d \w{3} \d\d", t)) for t in texts) <= 10
