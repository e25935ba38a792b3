// A click on a column's title sorts its table: numbers by value, the rest as text.
const value = (row, i) => row.cells[i].dataset.value ?? row.cells[i].textContent;
document.querySelectorAll("th button").forEach((button) => {
  button.addEventListener("click", () => {
    const cell = button.parentElement, i = cell.cellIndex;
    const up = cell.getAttribute("aria-sort") !== "ascending";
    const body = cell.closest("table").tBodies[0];
    const number = cell.classList.contains("number");
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a, i), value(b, i)];
      return number ? (parseFloat(x) || 0) - (parseFloat(y) || 0) : x.localeCompare(y);
    });
    body.append(...(up ? rows : rows.reverse()));
    cell.parentElement.querySelectorAll("th").forEach((th) => th.removeAttribute("aria-sort"));
    cell.setAttribute("aria-sort", up ? "ascending" : "descending");
  });
});
