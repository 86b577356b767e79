// Zoom and pan in the viewer: all its pictures together, so that runs and control stay comparable.

const ZOOMS = [1, 2, 3, 4, 6, 8];
const zoom = { at: 0, x: 0.5, y: 0.5, held: null };

function startZoom() {
  byId("zoom-in").addEventListener("click", () => setZoom(zoom.at + 1));
  byId("zoom-out").addEventListener("click", () => setZoom(zoom.at - 1));
  byId("zoom-reset").addEventListener("click", () => setZoom(0));
  const body = byId("viewer-body");
  const matOf = (event) => event.target.closest(".viewer-pictures .mat");
  body.addEventListener("wheel", (event) => {
    const holder = matOf(event);
    if (!holder) return;
    event.preventDefault();
    setZoom(zoom.at + (event.deltaY < 0 ? 1 : -1), under(holder, event));
  }, { passive: false });
  body.addEventListener("dblclick", (event) => {
    const holder = matOf(event);
    if (!holder) return;
    setZoom(zoom.at ? 0 : 2, under(holder, event));
  });
  body.addEventListener("pointerdown", (event) => {
    const holder = matOf(event);
    if (!holder || !zoom.at) return;
    event.preventDefault();
    holder.setPointerCapture(event.pointerId);
    zoom.held = { x: event.clientX, y: event.clientY, side: holder.clientWidth * ZOOMS[zoom.at] };
  });
  body.addEventListener("pointermove", (event) => {
    if (!zoom.held) return;
    moveZoom((zoom.held.x - event.clientX) / zoom.held.side, (zoom.held.y - event.clientY) / zoom.held.side);
    Object.assign(zoom.held, { x: event.clientX, y: event.clientY });
  });
  for (const name of ["pointerup", "pointercancel"]) body.addEventListener(name, () => { zoom.held = null; });
}

// Where the pointer is in a picture: 0 to 1 from its left and its top.
function under(holder, event) {
  const box = holder.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

const inside = (value) => Math.min(1, Math.max(0, value));

function moveZoom(dx, dy) {
  // The origin of a scale by s moves what is seen by (s - 1) / s of its own move.
  const gain = ZOOMS[zoom.at] / Math.max(1, ZOOMS[zoom.at] - 1);
  zoom.x = inside(zoom.x + dx * gain);
  zoom.y = inside(zoom.y + dy * gain);
  showZoom();
}

// What is at the given point of the picture stays there.
function setZoom(at, [u, v] = [0.5, 0.5]) {
  const before = ZOOMS[zoom.at];
  zoom.at = Math.min(ZOOMS.length - 1, Math.max(0, at));
  const after = ZOOMS[zoom.at];
  const origin = (old, point) => inside(((old + (point - old) / before) * after - point) / (after - 1));
  if (!zoom.at) zoom.x = zoom.y = 0.5;
  else if (after !== before) { zoom.x = origin(zoom.x, u); zoom.y = origin(zoom.y, v); }
  showZoom();
}

function zoomByKey(key) {
  setZoom(key === "0" ? 0 : zoom.at + (key === "-" ? -1 : 1));
}

function showZoom() {
  const scale = ZOOMS[zoom.at];
  byId("zoom-level").textContent = `${scale}×`;
  byId("zoom-out").disabled = zoom.at === 0;
  byId("zoom-in").disabled = zoom.at === ZOOMS.length - 1;
  const body = byId("viewer-body");
  body.classList.toggle("zoomed", zoom.at > 0);
  for (const part of body.querySelectorAll(".viewer-pictures .mat > :is(img, canvas)")) {
    part.style.transformOrigin = `${100 * zoom.x}% ${100 * zoom.y}%`;
    part.style.transform = zoom.at ? `scale(${scale})` : "";
  }
}
