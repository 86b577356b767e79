// What the colour word added to each frame, pixel by pixel: the frame less the control's in CIELAB,
// along the way of each region from its colour in the control's last frame to the asked colour.

const ADDED_SAME = 10; // of bench.judge.places.SAME: no way is left
const linear = (byte) => { const unit = byte / 255; return unit <= 0.04045 ? unit / 12.92 : ((unit + 0.055) / 1.055) ** 2.4; };
const rooted = (ratio) => (ratio > (6 / 29) ** 3 ? Math.cbrt(ratio) : ratio * (29 / 6) ** 2 / 3 + 4 / 29);

function labOf(red, green, blue) {
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const x = rooted((0.412453 * r + 0.35758 * g + 0.180423 * b) / 0.95047);
  const y = rooted(0.212671 * r + 0.71516 * g + 0.072169 * b);
  const z = rooted((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const labs = (pixels) => Array.from({ length: pixels.length / 4 }, (_, at) => labOf(...pixels.subarray(4 * at, 4 * at + 3)));

// For each region the way to the asked colour and its squared length; none where it has it already.
function addedWays(last, labels, asked) {
  const sums = new Map();
  last.forEach((lab, at) => {
    const sum = sums.get(labels[at]) || [0, 0, 0, 0];
    lab.forEach((value, axis) => { sum[axis] += value; });
    sum[3]++;
    sums.set(labels[at], sum);
  });
  const ways = new Map();
  for (const [label, sum] of sums) {
    const way = asked.map((value, axis) => value - sum[axis] / sum[3]);
    const length = way.reduce((total, value) => total + value * value, 0);
    if (length >= ADDED_SAME ** 2) ways.set(label, [way, length]);
  }
  return ways;
}

async function paintAdded(canvases, frames, control, labels, item, width, height) {
  const [red, green, blue] = basicRgb[basicIndex.get(colourName(item))];
  const dark = data.basic[basicIndex.get(colourName(item))].name === "white" ? [120, 120, 120] : [red, green, blue];
  const decoded = await Promise.all([...frames, ...control].map((uri) => decode(uri, width, height)));
  const [here, there] = [decoded.slice(0, frames.length), decoded.slice(frames.length)].map((list) => list.map(labs));
  const ways = addedWays(there[there.length - 1], labels, labOf(red, green, blue));
  canvases.forEach((canvas, step) => {
    const paint = new ImageData(width, height);
    here[step].forEach((lab, at) => {
      const [way, length] = ways.get(labels[at]) || [[0, 0, 0], 1];
      const share = lab.reduce((total, value, axis) => total + (value - there[step][at][axis]) * way[axis], 0) / length;
      const ink = Math.min(1, Math.max(0, share));
      const lost = Math.min(1, Math.max(0, -share));
      [0, 1, 2].forEach((axis) => { paint.data[4 * at + axis] = 255 + ink * (dark[axis] - 255) - lost * 90; });
      paint.data[4 * at + 3] = 255;
    });
    canvas.getContext("2d", { willReadFrequently: true }).putImageData(paint, 0, 0);
  });
}

// The row of maps under a film; null where there is no control, no mask or no basic colour.
function addedRow(run, item, frames, control, size, cells) {
  const picture = pictureAt(run, itemCell[item], itemIndex[item]);
  const labels = picture && labelsOf(picture);
  if (!control || !labels || !basicIndex.has(colourName(item)) || frames.length !== control.length) return null;
  const canvases = frames.map((_, step) => {
    const canvas = make("canvas", { width: picture.width, height: picture.height, role: "img", "aria-label": `What ${colourName(item)} added up to step ${step + 1}` });
    [canvas.style.width, canvas.style.height] = size.map((side) => `${side}px`);
    return canvas;
  });
  const row = cells(canvases, "pictures added", `What the word ${colourName(item)} added`);
  paintAdded(canvases, frames, control, labels, item, picture.width, picture.height).then(() => { row.dataset.painted = ""; });
  return row;
}
