// The order in which the page comes to life.

function takeState() {
  const text = location.hash.slice(1);
  if (text && !text.includes("=")) {
    byId(text)?.scrollIntoView();
    return;
  }
  const wanted = parseState(text);
  if (viewed !== NONE && wanted.item !== state.item && viewer.open) viewer.close();
  update(wanted);
  openNamed();
}

Object.assign(state, parseState(location.hash.slice(1)));
const start = location.hash.slice(1);
startTheme();
startHeatmap();
startFilters();
startGallery();
startExamples();
startFilms();
startExports();
startKeys();
startViewer();
startZoom();
startRunsTable();
for (const link of document.querySelectorAll('a[href^="#"]')) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    goTo(link.getAttribute("href").slice(1));
  });
}
addEventListener("hashchange", takeState);
if (start && !start.includes("=")) byId(start)?.scrollIntoView();
// A link that narrows the pictures leads to them.
else if (!state.item && FILTERS.some((name) => (Array.isArray(state[name]) ? state[name].length : state[name]))) goToPictures();
document.documentElement.dataset.ready = "1";
