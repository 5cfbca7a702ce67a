/** The style sheet of the page: two schemes, one column, tables that scroll instead of overflowing, and print. */
export const pageStyle = `
:root{color-scheme:light dark;--ink:#1b2129;--soft:#5a6675;--paper:#fff;--panel:#f5f7f9;--line:#d6dce3;--good:#1a7a43;--bad:#b3261e;--unsure:#8a5a00;--cross:#d1741a;--edge:#93a1b1}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9ef;--soft:#a2aebb;--paper:#14181d;--panel:#1d232a;--line:#36404b;--good:#5cc98a;--bad:#ff8a80;--unsure:#e8b35a;--cross:#f0953c;--edge:#66778a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1100px;margin:0 auto;padding:20px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:19px;margin:36px 0 8px;padding-top:10px;border-top:1px solid var(--line)}
h3{font-size:15px;margin:20px 0 6px;overflow-wrap:anywhere}
p{margin:6px 0;overflow-wrap:anywhere}
a{color:inherit}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:14px 0 0;font-size:13px}
.soft,caption,.provenance{color:var(--soft);font-size:13px}
.verdict{font-size:17px;font-weight:600;margin:14px 0 4px}
.passed,.better{color:var(--good)}.failed,.worse{color:var(--bad)}.inconclusive,.unclear{color:var(--unsure)}
.passed,.failed,.inconclusive,.better,.worse,.unclear{font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:12px;margin:16px 0}
.card{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:12px 14px}
.card b{display:block;font-size:24px;line-height:1.3;font-weight:600}
.card span{display:block;font-size:13px}
.card span span{display:inline}
.scroll{overflow-x:auto;margin:8px 0}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;min-width:100%}
caption{text-align:left;padding:2px 0 4px}
th,td{padding:4px 10px;border-bottom:1px solid var(--line);vertical-align:top}
th:first-child,td:first-child{padding-left:0}
th{font-weight:600;color:var(--soft);white-space:nowrap}
.number{text-align:right;white-space:nowrap}
.name{text-align:left;overflow-wrap:break-word;min-width:6em}
td:first-child .soft{display:inline-block;min-width:14em}
td>.passed,td>.failed,td>.inconclusive{white-space:nowrap}
details{margin:6px 0}
summary{cursor:pointer;overflow-wrap:anywhere}
details>div,details>p{margin-left:18px}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:10px;overflow-x:auto;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere}
.wide svg,.narrow svg{display:block;max-width:100%;height:auto}
.narrow{display:none}
@media screen and (max-width:760px){.wide{display:none}.narrow{display:block}main{padding:14px}}
.graph{display:block}
.graph text{fill:var(--ink);text-anchor:middle;font-family:inherit}
.node{fill:var(--panel);stroke:var(--edge)}
.node-name{font-size:13px;font-weight:600}
.node-facts{font-size:10.5px}
.edge,.crossing{fill:none;stroke:var(--edge)}
.crossing{stroke:var(--cross)}
.graph .edge-label{font-size:10.5px;stroke:var(--paper);stroke-width:4px;paint-order:stroke;stroke-linejoin:round}
.key{display:inline-block;width:22px;height:4px;background:var(--cross);vertical-align:middle;margin:0 4px}
@media print{
:root{--ink:#000;--soft:#444;--paper:#fff;--panel:#fff;--line:#bbb;--good:#0b5c2e;--bad:#8c1710;--unsure:#6b4500;--cross:#b35c0c;--edge:#778}
main{max-width:none;padding:0}nav{display:none}.scroll{overflow:visible}.graph{max-width:100%;height:auto}
h2,h3{break-after:avoid}tr,.card,svg{break-inside:avoid}}
`;
