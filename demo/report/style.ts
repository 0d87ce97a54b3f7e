/** The page's style sheet: light and dark, from a phone to a wide screen. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f6f3; --card: #fcfcfb; --ink: #0b0b0b; --soft: #52514e; --faint: #898781;
  --hair: #e1e0d9; --blue: #2a78d6; --orange: #eb6834; --red: #e34948; --other: #cfcdc4; --shade: #0003;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d0d0d; --card: #1a1a19; --ink: #f5f5f2; --soft: #c3c2b7; --faint: #898781;
    --hair: #2c2c2a; --blue: #3987e5; --other: #45443f; --shade: #000a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -.01em; text-wrap: balance; }
h2 { font-size: 21px; margin: 48px 0 4px; }
p { margin: 0 0 12px; max-width: 72ch; color: var(--soft); }
p.verdict { color: var(--ink); font-size: 18px; margin: 20px 0; }
ul { padding-left: 18px; margin: 12px 0 0; max-width: 84ch; color: var(--soft); font-size: 14px; }
li { margin-bottom: 4px; }
ul.promises { margin: 0 0 20px; font-size: 16px; }
figure { margin: 0; }
.scroll { overflow-x: auto; border: 1px solid var(--hair); border-radius: 10px;
  background: linear-gradient(90deg, transparent, var(--card) 70%) right / 60px 100% no-repeat local,
    linear-gradient(90deg, transparent, var(--shade)) right / 22px 100% no-repeat scroll, var(--card); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: 8px 14px; text-align: right; border-bottom: 1px solid var(--hair); }
th { font-weight: 500; color: var(--soft); font-size: 14px; }
tr:last-child > * { border-bottom: 0; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--card); }
tbody th { color: var(--ink); font-size: 16px; }
tbody tr.threshold > * { color: var(--soft); }
td.best { font-weight: 700; color: var(--ink) !important; }
.grid { display: grid; gap: 16px; margin-top: 16px; }
.grid.curves { grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); }
.grid.masks { grid-template-columns: repeat(auto-fill, minmax(max(150px, 18%), 1fr)); gap: 20px 14px; }
.grid.maps { grid-template-columns: repeat(auto-fill, minmax(max(150px, 22%), 1fr)); gap: 14px; }
.card { background: var(--card); border: 1px solid var(--hair); border-radius: 10px; padding: 12px; }
.card figcaption { font-weight: 600; margin-bottom: 6px; line-height: 1.25; }
.curves svg { display: block; width: 100%; margin-top: 6px; }
.microscope { position: relative; aspect-ratio: 1 / 2; border-radius: 8px; overflow: hidden; background-size: 100% 100%; }
.microscope img { position: absolute; inset: 0; width: 100%; height: 100%; }
.mask figcaption { margin-top: 6px; line-height: 1.3; font-size: 15px; }
.mask small { display: block; color: var(--soft); font-size: 13px; }
.pixels { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 4px; }
.maps .card { padding: 10px; display: flex; flex-direction: column; }
.maps figcaption { font-size: 15px; margin: 8px 0 0; }
.legend { display: flex; align-items: center; gap: 6px; margin-top: auto; padding-top: 6px; font-size: 11px; color: var(--soft);
  font-variant-numeric: tabular-nums; }
.legend i { flex: 1; height: 8px; border-radius: 2px; background: linear-gradient(90deg, #2a78d6, transparent, #e34948); }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 14px; color: var(--soft); margin-top: 4px; }
.key span::before { content: ""; display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px;
  vertical-align: -1px; background: var(--swatch); }
svg text { font: 10.5px system-ui, sans-serif; fill: var(--faint); }
svg .title { fill: var(--soft); }
svg line.grid { stroke: var(--hair); }
svg .rule { stroke: var(--soft); stroke-dasharray: 4 3; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .raw { stroke: var(--blue); stroke-width: 1; opacity: .3; }
svg .own { stroke: var(--blue); }
svg .other { stroke: var(--other); stroke-width: 1.25; }
svg .dot { fill: var(--blue); stroke: var(--card); stroke-width: 1.5; }
@media (max-width: 480px) {
  main { padding: 20px 14px 48px; }
  h1 { font-size: 25px; }
  th, td { padding: 7px 10px; }
  tbody th { font-size: 14px; white-space: normal; min-width: 116px; line-height: 1.25; }
}
`;
