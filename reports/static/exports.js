// What leaves the page: the labels as a file, the table by the clipboard.

function startExports() {
  byId("export-labels").addEventListener("click", () => {
    const link = make("a", { download: "labels.csv", href: URL.createObjectURL(new Blob([labelsCsv()], { type: "text/csv" })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  showLabelCount();
  for (const box of document.querySelectorAll(".paste")) startPaste(box);
  for (const button of document.querySelectorAll(".copy-command")) startCopy(button);
}

function startCopy(button) {
  button.addEventListener("click", async () => {
    const words = button.firstChild;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      words.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      words.textContent = document.execCommand("copy") ? "Copied" : "Select and copy";
    }
    say(words.textContent);
    setTimeout(() => { words.textContent = "Copy"; }, 1500);
  });
}

function startPaste(box) {
  const tabs = [...box.querySelectorAll("[data-table]")];
  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      for (const other of tabs) {
        other.setAttribute("aria-pressed", String(other === tab));
        byId(other.dataset.table).hidden = other !== tab;
      }
    });
  }
  box.querySelector(".copy").addEventListener("click", async (event) => {
    const area = tabs.map((tab) => byId(tab.dataset.table)).find((entry) => !entry.hidden);
    let copied = true;
    try {
      await navigator.clipboard.writeText(area.value);
    } catch {
      area.select();
      copied = document.execCommand("copy");
    }
    event.target.textContent = copied ? "Copied" : "Select and copy";
    say(event.target.textContent);
    setTimeout(() => { event.target.textContent = "Copy"; }, 1500);
  });
}
