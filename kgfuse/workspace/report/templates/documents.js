"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const least = document.getElementById("least"), shown = document.getElementById("least-shown");
  const property = document.getElementById("property"), away = document.getElementById("away");
  const arrows = document.getElementById("arrows");
  const sheets = [...document.querySelectorAll(".document")].map(node => {
    const marks = new Map();
    for (const mark of node.querySelectorAll("mark[data-keys]"))
      for (const key of mark.dataset.keys.split(" ")) marks.set(key, [...(marks.get(key) || []), mark]);
    return { node, marks, svg: node.querySelector(".arcs"), words: node.querySelector(".words"), cards: [...node.querySelectorAll(".card")] };
  });

  const middle = (sheet, marks) => {
    const base = sheet.words.getBoundingClientRect(), first = marks[0].getClientRects()[0], last = marks[marks.length - 1].getClientRects()[0];
    if (!first || !last) return null;
    const same = Math.abs(first.top - last.top) < 4;
    return { x: (first.left + (same ? last.right : first.right)) / 2 - base.left, y: first.top - base.top };
  };

  const draw = sheet => {
    sheet.svg.replaceChildren();
    for (const card of sheet.cards) {
      if (card.hidden || !(card.classList.contains("on") || arrows.checked)) continue;
      const from = sheet.marks.get(card.dataset.key + "-s"), to = sheet.marks.get(card.dataset.key + "-o");
      if (!from || !to) continue;
      const a = middle(sheet, from), b = middle(sheet, to);
      if (!a || !b) continue;
      const top = Math.min(a.y, b.y) - 10 - Math.min(26, Math.abs(a.x - b.x) / 12);
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("d", `M${a.x},${a.y + 3} C${a.x},${top} ${b.x},${top} ${b.x},${b.y + 1} m-4,-6 l4,6 l4,-6`);
      const strong = card.classList.contains("on");
      if (!strong) path.setAttribute("class", "thin");
      sheet.svg.append(path);
      if (strong) {
        const text = document.createElementNS(SVG, "text");
        text.setAttribute("x", (a.x + b.x) / 2);
        text.setAttribute("y", top + (Math.max(a.y, b.y) - top) * 0.2);
        text.textContent = card.querySelector(".arrow").textContent;
        sheet.svg.append(text);
      }
    }
  };

  const mark = (sheet, card, on) => {
    card.classList.toggle("on", on);
    card.querySelector("button").setAttribute("aria-pressed", on);
    for (const end of ["-s", "-o"])
      for (const m of sheet.marks.get(card.dataset.key + end) || []) m.classList.toggle("on", on);
  };

  const choose = (sheet, card) => {
    const was = card.classList.contains("on");
    for (const other of sheet.cards) if (other.classList.contains("on")) mark(sheet, other, false);
    if (!was) {
      mark(sheet, card, true);
      (sheet.marks.get(card.dataset.key + "-s") || sheet.marks.get(card.dataset.key + "-o") || [])[0]?.scrollIntoView({ block: "nearest" });
    }
    draw(sheet);
  };

  const filter = () => {
    shown.value = Number(least.value).toFixed(2);
    for (const sheet of sheets) {
      for (const card of sheet.cards)
        card.hidden = Number(card.dataset.confidence) < Number(least.value) ||
          (property.value && card.dataset.property !== property.value) ||
          (card.classList.contains("away") && !(away && away.checked));
      draw(sheet);
    }
  };

  for (const sheet of sheets) {
    for (const card of sheet.cards) card.querySelector("button").addEventListener("click", () => choose(sheet, card));
    sheet.words.addEventListener("click", event => {
      const keys = (event.target.closest("mark[data-keys]")?.dataset.keys || "").split(" ");
      const card = sheet.cards.find(c => !c.hidden && keys.some(k => k === c.dataset.key + "-s" || k === c.dataset.key + "-o") && !c.classList.contains("on"));
      if (card) { choose(sheet, card); card.scrollIntoView({ block: "nearest" }); }
    });
  }
  for (const control of [least, property, away, arrows]) control?.addEventListener("input", filter);
  addEventListener("resize", () => sheets.forEach(draw));
  filter();
})();
