// The table of runs: a heading sorts by its column, highest first, then lowest, then as given.

function startRunsTable() {
  const table = byId("runs-table");
  if (!table) return;
  const given = [...table.tBodies[0].rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector(".sort").addEventListener("click", () => {
      const next = { none: "descending", descending: "ascending", ascending: "none" }[head.ariaSort];
      for (const other of heads) other.ariaSort = other === head ? next : "none";
      const value = (row) => {
        const text = row.cells[column].dataset.value;
        return text === "" ? NaN : Number(text);
      };
      const sign = next === "descending" ? -1 : 1;
      const key = (row) => (Number.isNaN(value(row)) ? Infinity : sign * value(row));
      const rows = next === "none" ? given : [...given].sort((a, b) => key(a) - key(b) || given.indexOf(a) - given.indexOf(b));
      table.tBodies[0].replaceChildren(...rows);
      say(next === "none" ? "Runs as given" : `Runs by ${head.querySelector(".sort").textContent}, ${next}`);
    });
  });
}
