/** The little SVG that the charts need. The card is opaque, so that they can be read on any page. */

export const style = `
text { font: 12px system-ui, sans-serif; fill: #52514e; }
.card { fill: #fcfcfb; stroke: #e1e0d9; }
.title { font-size: 14px; font-weight: 600; fill: #0b0b0b; }
.grid { stroke: #e1e0d9; }
.rule { stroke: #898781; stroke-dasharray: 4 3; }
.span { stroke: #cfcdc4; stroke-width: 2; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.mark { stroke: #fcfcfb; stroke-width: 1.5; }
.value { fill: #0b0b0b; font-variant-numeric: tabular-nums; }
.blue { fill: #2a78d6; } .line.blue { fill: none; stroke: #2a78d6; }
.orange { fill: #d9541e; } .line.orange { fill: none; stroke: #d9541e; }
.green { fill: #14866d; }
@media (prefers-color-scheme: dark) {
  text { fill: #c3c2b7; }
  .card { fill: #1a1a19; stroke: #2c2c2a; }
  .title, .value { fill: #f5f5f2; }
  .grid { stroke: #2c2c2a; }
  .span { stroke: #45443f; }
  .mark { stroke: #1a1a19; }
  .blue { fill: #4d95ec; } .line.blue { stroke: #4d95ec; }
  .orange { fill: #ee7748; } .line.orange { stroke: #ee7748; }
  .green { fill: #2fb394; }
}`;

export function picture(width: number, height: number, title: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10"/>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

export function text(x: number, y: number, words: string, kind = "", anchor: Anchor = "start"): string {
  return `<text class="${kind}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

type Anchor = "start" | "middle" | "end";

export function line(kind: string, x1: number, y1: number, x2: number, y2: number): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((place) => place.toFixed(1));
  return `<line class="${kind}" x1="${a}" y1="${b}" x2="${c}" y2="${d}"/>`;
}

export type Shape = "circle" | "square" | "diamond";

/** A mark, which says its words when pointed at. */
export function mark(shape: Shape, colour: string, x: number, y: number, words: string): string {
  const title = `<title>${escaped(words)}</title>`;
  if (shape === "circle") {
    return `<circle class="mark ${colour}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="6">${title}</circle>`;
  }
  const turn = shape === "diamond" ? ` transform="rotate(45 ${x.toFixed(1)} ${y.toFixed(1)})"` : "";
  const corner = `x="${(x - 5).toFixed(1)}" y="${(y - 5).toFixed(1)}"`;
  return `<rect class="mark ${colour}" ${corner} width="10" height="10"${turn}>${title}</rect>`;
}

/** A logarithmic map from one range to another. */
export function logarithmic([low, high]: Range, [from, to]: Range): (value: number) => number {
  return (value) => from + (Math.log(value / low) / Math.log(high / low)) * (to - from);
}

export type Range = readonly [number, number];
