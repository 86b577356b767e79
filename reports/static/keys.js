// Keys that work anywhere on the page, unless the reader is typing.

function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select");
    if (typing) {
      if (event.key === "Escape" && event.target.id === "f-text") focusCard(gallery.at);
      return;
    }
    const overlay = { 1: "mask", 2: "names", 3: "leak", 4: "control" }[event.key];
    if (overlay) toggleOverlay(overlay);
    else if (event.key === "?") byId("help").open ? byId("help").close() : byId("help").showModal();
    else if (viewer.open) { if (!viewerKey(event)) return; }
    else if (event.key === "/") byId("f-text").focus();
    else if (event.key === "g") { goTo("gallery"); requestAnimationFrame(() => focusCard(gallery.at)); }
    else if ("ynu".includes(event.key) && lane.contains(document.activeElement)) labelByKey(event.key, selection[gallery.at]);
    else if (event.key === "r" && runs.length > 1) nextRun();
    else return;
    event.preventDefault();
  });
}

function viewerKey(event) {
  if (["+", "=", "-", "0"].includes(event.key)) { zoomByKey(event.key); return true; }
  if (event.key === "ArrowLeft" || event.key === "ArrowUp") step(-1);
  else if (event.key === "ArrowRight" || event.key === "ArrowDown") step(1);
  else if ("ynu".includes(event.key)) labelByKey(event.key, viewed);
  else if (event.key === "r" && runs.length > 1) nextRun();
  else return false;
  return true;
}

function labelByKey(key, item) {
  const label = { y: "right", n: "wrong", u: null }[key];
  giveLabel(labelledRun, item, label);
}

function nextRun() {
  labelledRun = (labelledRun + 1) % runs.length;
  say(`Labels go to ${letterOf(labelledRun)} ${runs[labelledRun].label}`);
  if (viewed !== NONE) showViewer();
}
