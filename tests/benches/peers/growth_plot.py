"""Draws how processor time grows: JSON of lines from standard input, an SVG to the file named."""

import json
import sys

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "goldenthread"

from matplotlib import pyplot as plt  # noqa: E402  # the back end is chosen first

figure, axes = plt.subplots(figsize=(7, 4.2))
for what, points in json.load(sys.stdin).items():
    sizes, seconds = zip(*points, strict=True)
    (line,) = axes.loglog(sizes, seconds, marker="o", label=what)
    axes.loglog(
        sizes, [seconds[0] * size / sizes[0] for size in sizes], ":", color=line.get_color(), lw=1
    )
axes.set_xlabel("permutations, assets or bars (the others stay)")
axes.set_ylabel("processor seconds, one thread")
axes.set_title("What a sweep takes; dotted: in proportion")
axes.grid(alpha=0.3, which="both")
axes.legend()
figure.savefig(sys.argv[1], metadata={"Date": None}, bbox_inches="tight")
