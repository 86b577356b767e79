// Shares of colour by step as a small chart, its steps under the frames of a filmstrip.

const CURVE_HEIGHT = 132, CURVE_TOP = 8;
const CURVE_NAMES = data.curves;
const CURVE_MARKS = { leak_neighbour: "M-4 -4h8v8h-8z", leak_background: "M0 -5l5 9h-10z" };
const CURVE_RADII = { bind: 4, prior: 3, control: 4 };

const curveY = (share) => CURVE_TOP + (1 - Math.min(1, Math.max(0, share))) * (CURVE_HEIGHT - 2 * CURVE_TOP);

function curveMark(kind, x, y) {
  if (CURVE_MARKS[kind]) return makeSvg("path", { class: `dot ${kind}`, d: CURVE_MARKS[kind], transform: `translate(${x} ${y})` });
  return makeSvg("circle", { class: `dot ${kind}`, cx: x, cy: y, r: CURVE_RADII[kind] });
}

// Curves in the order of the legend, as shares; what was not measured is left out.
function knownCurves(table) {
  return Object.keys(CURVE_NAMES)
    .filter((kind) => table[kind]?.some((value) => value !== null))
    .map((kind) => ({ kind, values: table[kind].map((value) => (value === null ? NaN : value / data.scale)) }));
}

function curveChart(curves, steps, pitch, words) {
  const parts = [0, 0.5, 1].map((tick) => makeSvg("line", { class: "grid", x1: 0, x2: steps * pitch, y1: curveY(tick), y2: curveY(tick) }));
  for (const { kind, values } of [...curves].reverse()) {
    const known = values.map((value, step) => [(step + 0.5) * pitch, curveY(value), value]).filter(([, , value]) => !Number.isNaN(value));
    parts.push(makeSvg("path", { class: `curve ${kind}`, d: known.map(([x, y], at) => `${at ? "L" : "M"}${x} ${y.toFixed(1)}`).join("") }));
    parts.push(...known.map(([x, y]) => curveMark(kind, x, y)));
  }
  const told = curves.map(({ kind, values }) => `${CURVE_NAMES[kind]}: ` + values.map((value, step) => (Number.isNaN(value) ? null : `step ${step + 1} ${percent(value)}`)).filter(Boolean).join(", ")).join("; ");
  return makeSvg("svg", { class: "chart curves", width: steps * pitch, height: CURVE_HEIGHT, role: "img", "aria-label": `${words}. ${told}` }, ...parts);
}

// Names at the ends of the curves, moved apart where they would lie upon each other.
function curveEnds(curves) {
  const least = 16;
  const ends = curves.map(({ kind, values }) => {
    const value = values.findLast((entry) => !Number.isNaN(entry));
    return { kind, value, y: curveY(value) };
  }).sort((a, b) => a.y - b.y);
  for (let at = 1; at < ends.length; at++) ends[at].y = Math.max(ends[at].y, ends[at - 1].y + least);
  let floor = CURVE_HEIGHT - 4;
  for (let at = ends.length - 1; at >= 0; at--) {
    ends[at].y = Math.min(ends[at].y, floor);
    floor = ends[at].y - least;
  }
  return ends.map(({ kind, value, y }) => {
    const key = makeSvg("svg", { class: "chart curves", width: 26, height: 12, "aria-hidden": "true", style: "display:inline-block;vertical-align:-2px" },
      makeSvg("path", { class: `curve ${kind}`, d: "M0 6h26" }), curveMark(kind, 13, 6));
    const label = make("span", {}, key, make("b", {}, ` ${percent(value)} `), CURVE_NAMES[kind]);
    label.style.top = `${y - 8}px`;
    return label;
  });
}
