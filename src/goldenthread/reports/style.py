"""The pages' style sheet: neutral, light and dark, printable, no font or image to fetch."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark;
  --page:#f6f6f3; --card:#fdfdfc; --ink:#0b0b0b; --soft:#52514e; --faint:#6f6d67; --line:#e1e0d9;
  --axis:#c3c2b7; --gold:#b98a1d; --series:#2470cc; --loss:#c5302f; --gain:#0a7a35; --fill:.10;
  --s1:#2470cc; --s2:#eda100; --s3:#1baf7a; --s4:#e34948; --s5:#a9a79f; --s6:#4a3aa7; --s7:#e87ba4;
  --s8:#eb6834 }
@media (prefers-color-scheme: dark) { :root {
  --page:#0d0d0d; --card:#1a1a19; --ink:#f4f4f2; --soft:#c3c2b7; --faint:#918f88; --line:#2c2c2a;
  --axis:#45443f; --gold:#d9ab3f; --series:#3987e5; --loss:#ec7372; --gain:#3fb86b; --fill:.16;
  --s1:#3987e5; --s2:#c98500; --s3:#199e70; --s4:#e66767; --s5:#6d6b65; --s6:#9085e9; --s7:#d55181;
  --s8:#d95926 } }
* { box-sizing:border-box }
:focus-visible,input:focus-within { outline:2px solid var(--gold); outline-offset:2px }
body { margin:0; background:var(--page); color:var(--ink);
  font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif }
main { max-width:1200px; margin:0 auto; padding:28px 24px 40px }
header { border-top:3px solid var(--gold); padding-top:16px; margin-bottom:20px;
  display:flex; flex-wrap:wrap; justify-content:space-between; gap:4px 32px; align-items:flex-end }
h1 { font-size:26px; line-height:1.2; font-weight:650; margin:0; letter-spacing:-.01em }
h2 { font-size:15px; font-weight:650; margin:0 0 2px }
section { background:var(--card); border:1px solid var(--line); border-radius:8px;
  padding:16px 18px 18px; margin-top:14px }
header dl { display:flex; flex-wrap:wrap; gap:2px 24px; margin:0; color:var(--soft) }
header dt { display:inline; color:var(--faint) } header dd { display:inline; margin:0 }
.about { margin:0 0 12px; color:var(--soft); font-size:13px; max-width:112ch }
.note { margin:6px 0 0; color:var(--faint); font-size:13px }
.callout { border-left:3px solid var(--gold); font-size:16px }
.callout p { margin:0 } .callout .note { margin-top:4px; font-size:13px }
.warn { border-left:3px solid var(--s2) } .warn p { margin:0 }
.tiles { display:grid; grid-template-columns:repeat(4,1fr); gap:1px; padding:0; overflow:hidden;
  background:var(--line) }
.tile { background:var(--card); padding:14px 18px 12px }
.label { color:var(--soft); font-size:12.5px }
.figure { font-size:25px; line-height:1.25; font-weight:600; letter-spacing:-.01em }
.under { color:var(--faint); font-size:12.5px }
.gain { color:var(--gain) } .loss { color:var(--loss) }
.scroll { overflow-x:auto }
table { border-collapse:collapse; width:100%; font-size:13px }
th { text-align:left; color:var(--soft); font-weight:500; font-size:12px; white-space:nowrap;
  vertical-align:bottom; border-bottom:1px solid var(--axis); padding:4px 10px 5px 0 }
td { border-bottom:1px solid var(--line); padding:5px 10px 5px 0; white-space:nowrap }
tbody tr:last-child td { border-bottom:0 }
th.num,td.num { text-align:right; font-variant-numeric:tabular-nums }
th:last-child,td:last-child { padding-right:0 }
.tag { font-size:10px; font-weight:650; letter-spacing:.05em; color:var(--ink); margin-left:4px;
  border:1px solid var(--s2); border-radius:3px; padding:0 4px; vertical-align:1px }
td:has(> .bar) { min-width:180px }
.bar { float:left; position:relative; width:90px; height:9px; margin:6px 10px 0 0;
  background:linear-gradient(var(--axis),var(--axis)) center/1px 100% no-repeat }
.bar rect { fill:currentColor; opacity:.75 }
.legend + .scroll { margin-top:14px }
.chart { display:block; width:100%; height:auto; margin-top:8px }
.chart text { font-size:12px; fill:var(--faint); font-variant-numeric:tabular-nums }
.chart .value { fill:var(--ink); font-weight:600 }
.chart .grid { stroke:var(--line) } .chart .tick { stroke:var(--axis) }
.chart .zero { stroke:var(--axis); stroke-dasharray:4 3 }
.chart .line { fill:none; stroke-width:1.8; stroke-linejoin:round }
.chart .area { opacity:var(--fill) } .chart .dot { stroke:var(--card); stroke-width:2 }
.chart.series .line { stroke:var(--series) } .chart.series .area,.chart.series .dot
  { fill:var(--series) }
.chart.loss .line { stroke:var(--loss) } .chart.loss .area,.chart.loss .dot { fill:var(--loss) }
.chart .up { fill:var(--gain) } .chart .down { fill:var(--loss) }
.chart rect.up,.chart rect.down { opacity:.8 } .chart.cloud circle { opacity:.55 }
.chart .now { stroke:var(--gold); stroke-width:1.5 }
.chart .line.other2 { stroke:var(--s2) } .chart .line.other3 { stroke:var(--s3) }
.chart .line.other4 { stroke:var(--s6) } .own { background:var(--series) }
.chart .slot1 { fill:var(--s1) } .chart .slot2 { fill:var(--s2) }
.chart .slot3 { fill:var(--s3) } .chart .slot4 { fill:var(--s6) }
td.gain[style] { background:color-mix(in srgb,var(--gain) var(--heat),transparent) }
td.loss[style] { background:color-mix(in srgb,var(--loss) var(--heat),transparent) }
td[style] { color:var(--ink) }
.halves { display:grid; grid-template-columns:repeat(2,minmax(0,1fr)); gap:14px 26px }
h3 { font-size:13px; font-weight:600; margin:14px 0 2px } .halves h3 { margin-top:4px }
.chapter { font-size:19px; margin:34px 0 0; letter-spacing:-.01em }
a.term { color:inherit; text-decoration:none }
a.term:hover,a.term:focus { text-decoration:underline dotted }
nav { display:flex; flex-wrap:wrap; gap:4px 18px; font-size:13px; margin-top:-6px }
nav a { color:var(--soft); text-decoration:none } nav a:hover,nav a:focus { color:var(--ink) }
.terms { display:grid; grid-template-columns:max-content 1fr; gap:3px 18px; margin:4px 0 0;
  font-size:12.5px } .terms dt { color:var(--soft) } .terms dd { margin:0 }
.terms span { color:var(--faint) } .terms dt:target { color:var(--gold); font-weight:600 }
.candles .up { stroke:var(--gain); fill:var(--gain) }
.candles .down { stroke:var(--loss); fill:var(--loss) } .candles g { opacity:.62 }
.candles .level { fill:none; stroke-width:1.6 } .candles .level.entry { stroke:var(--series) }
.candles .level.stop { stroke:var(--s8) } .candles .level.target { stroke:var(--s3) }
.candles .level.entry,.candles .level.target { stroke-dasharray:6 4 }
.chart .named.entry { fill:var(--series) } .chart .named.stop { fill:var(--s8) }
.chart .named.target { fill:var(--s3) } .candles .mark { stroke:var(--ink); fill:var(--ink) }
.candles .mark.would { fill:var(--card) } .candles .leader { stroke:var(--axis) }
.candles .value { paint-order:stroke; stroke:var(--card); stroke-width:4px }
.lines { display:grid; grid-template-columns:max-content 1fr; gap:3px 22px; margin:8px 0 0;
  font-size:13px; font-variant-numeric:tabular-nums } .lines dt { color:var(--soft) }
.lines dt.inner { padding-left:14px } .lines dd { margin:0; overflow-wrap:anywhere }
.shares { display:flex; gap:2px; height:18px; margin:4px 0 10px; border-radius:4px;
  overflow:hidden }
.shares i { display:block; min-width:2px } .legend { list-style:none; display:flex; margin:0;
  flex-wrap:wrap; gap:4px 22px; padding:0; color:var(--soft); font-size:13px }
.legend b { color:var(--ink); font-weight:600; font-variant-numeric:tabular-nums }
.legend i { display:inline-block; width:10px; height:10px; border-radius:2px; margin-right:7px }
.slot1 { background:var(--s1) } .slot2 { background:var(--s2) } .slot3 { background:var(--s3) }
.slot4 { background:var(--s4) } .slot5 { background:var(--s5) } .slot6 { background:var(--s6) }
.slot7 { background:var(--s7) } .slot8 { background:var(--s8) }
footer { color:var(--faint); font-size:12px; margin-top:18px; max-width:100ch }
footer p { margin:0 0 4px }
@media (max-width:760px) { .tiles { grid-template-columns:repeat(2,1fr) }
  .scroll > .chart { min-width:620px }
  .halves,.terms { grid-template-columns:minmax(0,1fr) } .terms dd { margin-bottom:5px }
  main { padding:16px 12px } }
@media print { body { background:#fff } .halves>*,tr,svg { break-inside:avoid }
  h2,h3,.about { break-after:avoid } main { padding:0; max-width:none } nav { display:none }
  .scroll { overflow:visible } }
"""
