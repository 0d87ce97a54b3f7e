/** Colours of the report, light and dark; the SVG overview uses the same. */
export const colours = {
  light: `--page: #f6f6f3; --card: #fcfcfb; --ink: #0b0b0b; --soft: #52514e; --faint: #87857f; --hair: #e1e0d9;
  --blue: #2a78d6; --grey: #73716b; --red: #d93a39; --amber: #b7791f; --norm: #e9a98c; --frame: #ecebe5;`,
  dark: `--page: #0d0d0d; --card: #1a1a19; --ink: #f5f5f2; --soft: #c3c2b7; --faint: #8d8b85; --hair: #2c2c2a;
  --blue: #5b9ff0; --grey: #a3a19a; --red: #f06a68; --amber: #d9a441; --norm: #8a4a2c; --frame: #262625;`,
};

/** Lines by course. */
export const lines = `
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.line.rises { stroke: var(--blue); } .line.flattens { stroke: var(--grey); }
.line.dips { stroke: var(--amber); } .line.falls { stroke: var(--red); }
.dot.flattens { fill: var(--grey); } .dot.falls { fill: var(--red); }
.overview .hair { stroke: var(--hair); }
.overview .soft .line { stroke-dasharray: 3 3; stroke-width: 1.3; } .overview .soft .dot { display: none; }`;

/** The page's style sheet: from a phone to a wide screen. */
export const style = `
:root { color-scheme: light dark; ${colours.light} }
@media (prefers-color-scheme: dark) { :root { ${colours.dark} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 21px; margin: 52px 0 4px; }
p, li { max-width: 76ch; color: var(--soft); }
p { margin: 0 0 12px; }
p.claim { color: var(--ink); font-size: 18px; margin: 20px 0 8px; text-wrap: pretty; }
ul { padding-left: 18px; margin: 8px 0 16px; }
li { margin-bottom: 5px; }
.key { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 14px; color: var(--soft); margin: 14px 0 0; padding: 0; list-style: none; }
.key li { margin: 0; display: flex; align-items: center; gap: 7px; }
.key svg { width: 26px; height: 12px; overflow: visible; }
.switch { display: none; }
.films { display: grid; grid-template-columns: 1fr 1fr; gap: 6px 28px; margin: 14px 0 12px; max-width: 860px; }
.films b { font-weight: 500; font-size: 14px; color: var(--soft); display: block; margin-bottom: 4px; }
.strip { display: grid; grid-template-columns: repeat(4, 1fr); gap: 6px; }
.frame { display: block; width: 100%; border-radius: 5px; background: var(--frame); }
.frame circle { fill: none; stroke: var(--ink); stroke-width: 1px; vector-effect: non-scaling-stroke; opacity: .8; }
.card.overview { margin: 20px 0 0; } .overview svg { display: block; width: 100%; min-width: 760px; height: auto; }
.overview text { font: 13px system-ui, sans-serif; fill: var(--soft); } .overview .name { fill: var(--ink); font-size: 14px; }
.card { background: var(--card); border: 1px solid var(--hair); border-radius: 10px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; text-align: left; border-bottom: 1px solid var(--hair); vertical-align: middle; }
thead th { font-weight: 500; color: var(--soft); font-size: 14px; vertical-align: bottom; }
tbody th { font-weight: 500; font-size: 15px; line-height: 1.25; width: 24%; overflow-wrap: break-word; }
tbody th small { display: block; font-weight: 400; color: var(--faint); font-size: 13px; }
tr:last-child > * { border-bottom: 0; }
.cell { display: flex; align-items: center; gap: 10px; font-size: 13px; line-height: 1.2; color: var(--soft); }
.cell.falls { color: var(--red); } .cell.dips { color: var(--amber); }
.spark { width: 96px; flex: none; overflow: visible; }
.norm { fill: var(--norm); opacity: .75; }
${lines}
.line.hard { stroke: var(--blue); } .line.soft { stroke: var(--amber); stroke-dasharray: 4 3.5; }
details { border-bottom: 1px solid var(--hair); padding: 0 14px; }
details:last-child { border-bottom: 0; }
summary { padding: 10px 0; cursor: pointer; font-weight: 500; }
summary::marker { color: var(--faint); }
.charts { display: grid; grid-template-columns: repeat(4, 1fr); gap: 2px 14px; margin-bottom: 14px; }
.charts h3 { grid-column: 1 / -1; font-size: 14px; font-weight: 500; color: var(--soft); margin: 10px 0 0; }
.charts figcaption { font-size: 13px; color: var(--faint); }
figure { margin: 0; min-width: 0; }
.chart { display: block; width: 100%; }
.chart text { font: 9.5px system-ui, sans-serif; fill: var(--faint); }
.chart .grid { stroke: var(--hair); }
.numbers { font-size: 13px; white-space: nowrap; margin-bottom: 14px; }
.numbers td, .numbers th { padding: 3px 12px; text-align: right; font-size: 13px; }
.numbers th:first-child { text-align: left; width: auto; }
.scroll { overflow-x: auto; }
input[name=shown] { position: absolute; opacity: 0; }
@media (max-width: 760px) {
  main { padding: 20px 14px 48px; }
  h1 { font-size: 25px; }
  .switch { display: flex; gap: 4px; position: sticky; top: 0; z-index: 2; background: var(--page); padding: 8px 0; margin-top: 12px; }
  .switch label { flex: 1; text-align: center; padding: 7px; border: 1px solid var(--hair); border-radius: 8px; background: var(--card);
    font-size: 14px; color: var(--soft); cursor: pointer; }
  #show-hard:checked ~ .switch [for=show-hard], #show-soft:checked ~ .switch [for=show-soft] { color: var(--ink); border-color: var(--ink); }
  #show-hard:focus-visible ~ .switch [for=show-hard], #show-soft:focus-visible ~ .switch [for=show-soft] { outline: 2px solid var(--blue); }
  #show-hard:checked ~ section .is-soft, #show-soft:checked ~ section .is-hard { display: none; }
  .films { grid-template-columns: 1fr; }
  th, td { padding: 6px 8px; }
  tbody th { font-size: 14px; width: 34%; }
  .cell { flex-direction: column; align-items: flex-start; gap: 3px; }
  .spark { width: 84px; }
  .charts { grid-template-columns: 1fr 1fr; } .chart text { font-size: 13px; } .charts figcaption { font-size: 12px; }
}
`;
