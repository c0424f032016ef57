"use strict";
// Sorting tables; all else works without a script.
(() => {
  document.documentElement.classList.add("scripted");

  const value = (cell) => {
    const text = cell.dataset.v;
    if (text === undefined) return null;
    return cell.classList.contains("number") || /^-?[\d.]+(e[-+]?\d+)?$/.test(text) ? Number(text) : text;
  };

  const order = (one, other) => {
    if (typeof one === "number" && typeof other === "number") return one - other;
    return String(one).localeCompare(String(other), document.documentElement.lang);
  };

  const sort = (table, head, column) => {
    const other = { ascending: "descending", descending: "ascending" };
    const direction = other[head.getAttribute("aria-sort")] || head.dataset.first || "ascending";
    for (const one of table.tHead.rows[0].cells) one.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, place) => {
      const cell = row.cells[column];
      return { row, place, key: value(cell), group: cell.dataset.g || "" };
    });
    rows.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
      // Values of different currencies cannot be compared: each currency keeps to itself, and what
      // costs nothing stands with any of them.
      if (a.group !== b.group && a.key !== 0 && b.key !== 0) return a.group < b.group ? -1 : 1;
      return sign * order(a.key, b.key) || a.place - b.place;
    });
    body.append(...rows.map((one) => one.row));
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = head.querySelector("button");
      if (button) button.addEventListener("click", () => sort(table, head, column));
    });
  }
})();
