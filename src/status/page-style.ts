/** How the page looks. No colour is the only sign of anything, and both themes have enough contrast to read. */

export const style = `
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1c2330;--soft:#5b6472;--edge:#dfe3e9;--line:#3563c9;--area:#3563c926;--bad:#b3261e;--badbg:#fdecea;--warn:#8a5a00;--warnbg:#fff5dc;--good:#1b7a43}
@media (prefers-color-scheme:dark){:root{--bg:#12151b;--card:#1b2029;--ink:#e7eaf0;--soft:#9aa4b4;--edge:#2d3440;--line:#86a9ff;--area:#86a9ff26;--bad:#ff8f87;--badbg:#3a1c1c;--warn:#f2c063;--warnbg:#33290f;--good:#6fd69a}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.45 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:1240px;margin:0 auto;padding:1.25rem 1rem 3rem}
header{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem 1rem;margin-bottom:1rem}
h1{font-size:1.5rem;margin:0;letter-spacing:-.02em}
h2{font-size:1rem;margin:1.4rem 0 .5rem}
.soft{color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:.75rem}
.tile{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:.7rem .85rem;min-height:6.2rem}
.tile b{display:block;font-size:1.55rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tile svg{display:block;width:100%;margin-top:.35rem}
.line{fill:none;stroke:var(--line);stroke-width:1.5;vector-effect:non-scaling-stroke}
.area{fill:var(--area)}
ul{list-style:none;margin:0;padding:0;display:grid;gap:.4rem}
li{border-left:4px solid;border-radius:6px;padding:.4rem .8rem;overflow-wrap:anywhere}
li.bad{border-color:var(--bad);background:var(--badbg)}
li.warn{border-color:var(--warn);background:var(--warnbg)}
li strong.level{margin-right:.35rem}
.bad .level,td.bad,.chip.bad{color:var(--bad)}
.warn .level,.chip.warn{color:var(--warn)}
code{font:13px ui-monospace,"DejaVu Sans Mono",monospace}
li code{display:block;color:var(--soft)}
.good{color:var(--good)}
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--edge);border-radius:10px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.5rem .7rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--edge)}
tr:last-child td{border-bottom:0}
th{font-size:.8rem;font-weight:600}
th a{color:var(--soft);text-decoration:none}
th a:hover,th[aria-sort] a{color:var(--ink);text-decoration:underline}
th:first-child,td:first-child{text-align:left;max-width:22rem;overflow:hidden;text-overflow:ellipsis}
tbody tr:hover{background:var(--bg)}
td svg{vertical-align:middle;margin-right:.5rem}
.chip{font-size:.78rem;margin-left:.5rem;color:var(--soft)}
meter{width:4rem;height:.7rem;vertical-align:middle;margin-right:.4rem}
`.trim();
