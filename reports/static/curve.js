// The share of colour by step, as a small chart.

function colourShares(pixels, labels, subject, asked) {
  let on = 0, area = 0, off = 0;
  for (let pixel = 0, at = 0; pixel < labels.length; pixel++, at += 4) {
    const inside = labels[pixel] === subject;
    const hit = nameOf(pixels[at], pixels[at + 1], pixels[at + 2]) === asked;
    if (inside) { area++; on += hit; } else off += hit;
  }
  return { subject: area ? on / area : 0, rest: labels.length > area ? off / (labels.length - area) : 0 };
}

function curve(shares, item) {
  const high = 140, left = 44, wide = 600;
  const x = (step) => left + (shares.length > 1 ? (step / (shares.length - 1)) * wide : wide / 2);
  const y = (value) => 10 + (1 - value) * (high - 20);
  const path = (name) => shares.map((share, step) => `${step ? "L" : "M"}${x(step).toFixed(1)} ${y(share[name]).toFixed(1)}`).join("");
  const text = (at, up, words, anchor = "start") => {
    const element = makeSvg("text", { x: at, y: up, "text-anchor": anchor });
    element.textContent = words;
    return element;
  };
  const last = shares.at(-1);
  const names = [[subjectName(item), last.subject], ["the rest", last.rest]];
  const gap = Math.abs(y(last.subject) - y(last.rest)) < 16 ? (last.subject >= last.rest ? [-6, 10] : [10, -6]) : [4, 4];
  const told = `Share in ${colourName(item)}: ` + shares.map((share, step) => `step ${step + 1}, ${percent(share.subject)} of the ${subjectName(item)} and ${percent(share.rest)} of the rest`).join("; ");
  return makeSvg("svg", { class: "curve", preserveAspectRatio: "xMinYMin meet", viewBox: `0 0 ${left + wide + 150} ${high + 16}`, role: "img", "aria-label": told },
    makeSvg("path", { class: "axis", d: `M${left} ${y(0)}h${wide}M${left} ${y(0.5)}h${wide}M${left} ${y(1)}h${wide}` }),
    text(left - 8, y(0) + 4, "0", "end"), text(left - 8, y(0.5) + 4, "50%", "end"), text(left - 8, y(1) + 4, "100%", "end"),
    makeSvg("path", { d: path("subject") }), makeSvg("path", { class: "rest", d: path("rest") }),
    ...names.map(([name, value], at) => text(left + wide + 10, y(value) + gap[at], `${name} ${percent(value)}`)),
    text(left, high + 14, "step 1"), text(left + wide, high + 14, `step ${shares.length}`, "end"));
}
