"use strict";
// Arrows over the text: each block measures its own marks when it comes into view, gives every arrow a level above
// its line so that none cover one another, and widens its lines to make room.
const $ = (selector, within = document) => [...within.querySelectorAll(selector)];
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const LEVEL = 17, MOST_LEVELS = 7, LEADING = 28;
const statements = $("aside li").map((li) => ({
  li, id: li.id, from: li.dataset.from, to: li.dataset.to, property: li.dataset.property,
  confidence: Number(li.dataset.confidence), away: li.classList.contains("away"), evidence: li.dataset.evidence.split(" ").filter(Boolean),
}));
const marks = new Map(); // key of a mention → its pieces
for (const piece of $("[data-k]"))
  for (const key of piece.dataset.k.split(" ")) {
    if (!marks.has(key)) marks.set(key, []);
    marks.get(key).push(piece);
  }
const blockOf = (key) => marks.get(key)?.[0].closest(".block");
const byBlock = new Map();
for (const s of statements) {
  s.block = blockOf(s.from);
  s.crosses = s.block !== blockOf(s.to);
  if (!s.block || !s.to || s.from === s.to) continue;
  if (!byBlock.has(s.block)) byBlock.set(s.block, []);
  byBlock.get(s.block).push(s);
}
let chosen = null;

const passes = (s) =>
  (s.li.parentElement.dataset.document === current()) && (!byId("property").value || s.property === byId("property").value) &&
  s.confidence >= Number(byId("least").value) - 1e-9 && (!s.away || Boolean(byId("away")?.checked));
const current = () => byId("document")?.value ?? $("article")[0]?.id;

function rows(key, origin) {
  const found = [];
  for (const piece of marks.get(key) ?? [])
    for (const r of piece.getClientRects()) {
      const last = found.at(-1);
      const box = { left: r.left - origin.left, right: r.right - origin.left, top: r.top - origin.top, bottom: r.bottom - origin.top };
      if (last && Math.abs(last.top - box.top) < 4) last.right = Math.max(last.right, box.right), last.left = Math.min(last.left, box.left);
      else found.push(box);
    }
  return found;
}

function parts(s, origin, width) {
  // pieces of an arrow, one for each of the two lines it touches
  const from = rows(s.from, origin)[0], to = rows(s.to, origin)[0];
  if (!from || !to) return [];
  const a = (from.left + from.right) / 2, b = (to.left + to.right) / 2, label = 6.4 * s.property.length + 18;
  if (Math.abs(from.top - to.top) < 4) {
    const shift = a < b ? 5 : -5, middle = (a + b) / 2, half = Math.max(Math.abs(b - a), label) / 2;
    return [{ s, row: from.top, x1: a + shift, x2: b - shift, left: middle - half, right: middle + half, start: true, end: true, label: true }];
  }
  const down = from.top < to.top, edge1 = down ? width - 2 : 2, edge2 = down ? 2 : width - 2;
  const wide = (x, edge) => x < edge ? [x, Math.max(edge, x + label)] : [Math.min(edge, x - label), x];
  const [l1, r1] = wide(a, edge1), [l2, r2] = wide(b, edge2);
  return [
    { s, row: from.top, x1: a, x2: edge1, left: l1, right: r1, start: true, label: true },
    { s, row: to.top, x1: edge2, x2: b, left: l2, right: r2, end: true },
  ];
}

function levels(all) {
  const taken = new Map();
  all.sort((p, q) => (q.s === chosen) - (p.s === chosen) || (p.right - p.left) - (q.right - q.left) || q.s.confidence - p.s.confidence);
  for (const p of all) {
    const row = Math.round(p.row);
    if (!taken.has(row)) taken.set(row, []);
    const lanes = taken.get(row);
    let level = lanes.findIndex((lane) => lane.every((o) => p.right + 4 < o.left || o.right + 4 < p.left));
    if (level < 0) level = lanes.push([]) - 1;
    lanes[level].push(p);
    p.level = level + 1;
  }
  return all.filter((p) => p.level <= MOST_LEVELS);
}

function make(name, values, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function draw(block) {
  const svg = block.querySelector(".arcs"), line = block.querySelector(".line");
  svg.replaceChildren();
  const mine = byId("arcs").checked ? (byBlock.get(block) ?? []).filter((s) => passes(s) && !s.crosses) : [];
  if (chosen && chosen.block === block && !chosen.crosses && !mine.includes(chosen) && passes(chosen)) mine.push(chosen);
  for (const name of ["--leading", "margin-top", "margin-bottom"]) line.style.removeProperty(name);
  if (!mine.length) return;
  const measure = () => {
    const origin = svg.getBoundingClientRect();
    return levels(mine.flatMap((s) => parts(s, origin, origin.width)));
  };
  const deepest = Math.max(0, ...measure().map((p) => p.level));
  // lines break where they broke: only heights change; the room that the last line has below is given to the first
  line.style.setProperty("--leading", `${LEADING + deepest * LEVEL}px`);
  line.style.marginTop = `${(deepest * LEVEL) / 2}px`;
  line.style.marginBottom = `${(-deepest * LEVEL) / 2}px`;
  const groups = new Map();
  for (const p of measure()) {
    if (!groups.has(p.s)) groups.set(p.s, svg.appendChild(make("g", { class: `${p.s.away ? "away " : ""}${p.s === chosen ? "on" : ""}` })));
    const top = p.row - 2, y = top - p.level * LEVEL + 6, bend = Math.min(7, Math.abs(p.x2 - p.x1) / 2), way = p.x2 > p.x1 ? 1 : -1;
    let path = p.start ? `M${p.x1} ${top}V${y + bend}Q${p.x1} ${y} ${p.x1 + way * bend} ${y}` : `M${p.x1} ${y}`;
    path += p.end ? `H${p.x2 - way * bend}Q${p.x2} ${y} ${p.x2} ${y + bend}V${top - 4}` : `H${p.x2}`;
    const group = groups.get(p.s);
    group.append(make("path", { d: path }));
    if (p.end) group.append(make("path", { class: "tip", d: `M${p.x2 - 4} ${top - 6}h8l-4 7z` }));
    const half = 3.2 * p.s.property.length + 4, width = svg.clientWidth;
    const x = Math.max(half, Math.min(width - half, (p.left + p.right) / 2));
    if (p.label) group.append(make("text", { x, y: y + 4 }, p.s.property));
  }
}

const visible = new Set();
const watcher = new IntersectionObserver((seen) => {
  for (const one of seen) {
    if (one.isIntersecting) visible.add(one.target), draw(one.target);
    else visible.delete(one.target);
  }
}, { rootMargin: "300px" });
const redraw = () => visible.forEach(draw);

function light(s, on) {
  for (const key of s.evidence) for (const piece of marks.get(key) ?? []) piece.classList.toggle("lit", on);
  for (const key of [s.from, s.to]) for (const piece of marks.get(key) ?? []) piece.classList.toggle("end", on);
}

function choose(s, scroll = true) {
  if (chosen) {
    light(chosen, false);
    chosen.li.classList.remove("on");
    chosen.li.querySelector(".more").hidden = true;
    chosen.li.querySelector("button").setAttribute("aria-expanded", "false");
  }
  const before = chosen;
  chosen = s;
  if (s) {
    light(s, true);
    s.li.classList.add("on");
    s.li.querySelector(".more").hidden = false;
    s.li.querySelector("button").setAttribute("aria-expanded", "true");
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const place = marks.get(s.from)?.[0] ?? marks.get(s.to)?.[0] ?? marks.get(s.evidence[0])?.[0];
    if (scroll && place) place.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
  }
  for (const b of new Set([before?.block, s?.block])) if (b) draw(b);
}

function filter() {
  byId("least-shown").textContent = Number(byId("least").value).toFixed(2);
  let shown = 0, of = 0;
  for (const s of statements) {
    const fits = passes(s);
    s.li.hidden = !fits;
    if (fits) shown += 1;
    if (s.li.parentElement.dataset.document === current()) of += 1;
  }
  for (const article of $("article")) article.hidden = article.id !== current();
  for (const list of $("aside ol")) list.hidden = list.dataset.document !== current();
  const rest = of - shown;
  byId("count").textContent = of ? `${shown} shown${rest ? `, ${rest} filtered out` : ""}` : "Nothing is stated here.";
  if (chosen && !passes(chosen)) choose(null);
  redraw();
}

for (const s of statements) {
  const button = s.li.querySelector("button");
  button.addEventListener("click", () => choose(chosen === s ? null : s));
}
byId("texts").addEventListener("click", (event) => {
  const keys = event.target.closest("mark, rect")?.dataset.k.split(" ");
  if (!keys) return;
  const about = statements.filter((s) => passes(s) && (keys.includes(s.from) || keys.includes(s.to) || s.evidence.some((key) => keys.includes(key))));
  const next = about[(about.indexOf(chosen) + 1) % about.length];
  if (next) choose(next, false), next.li.scrollIntoView({ block: "nearest" });
});
byId("filters").addEventListener("input", filter);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("classes").addEventListener("input", () => {
  if (byId("classes").checked)
    for (const b of $("[data-legend]"))
      for (const m of $(`mark[data-kind="${b.dataset.legend}"]`)) if (b.dataset.legend !== "k") m.dataset.name = b.querySelector("bdi").textContent;
  byId("texts").classList.toggle("named", byId("classes").checked);
  redraw();
});
for (const button of $("[data-legend]"))
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    for (const other of $("[data-legend]")) other.setAttribute("aria-pressed", String(other === button && on));
    byId("texts").classList.toggle("quiet", on);
    for (const mark of $("mark, rect")) mark.classList.toggle("kept", on && mark.dataset.kind === button.dataset.legend);
  });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { choose(null); return; }
  const inField = event.target.closest("select, input");
  if (inField || !["ArrowDown", "ArrowUp", "j", "k"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  const shown = statements.filter(passes);
  if (!shown.length) return;
  const step = event.key === "ArrowDown" || event.key === "j" ? 1 : -1;
  const at = chosen ? shown.indexOf(chosen) + step : step > 0 ? 0 : shown.length - 1;
  const next = shown[Math.max(0, Math.min(shown.length - 1, at))];
  event.preventDefault();
  choose(next);
  next.li.querySelector("button").focus({ preventScroll: true });
  next.li.scrollIntoView({ block: "nearest" });
});
const room = () => document.documentElement.style.setProperty("--top", `${document.querySelector("header").offsetHeight + 14}px`);
new ResizeObserver(() => { room(); redraw(); }).observe(document.querySelector("header"));
window.addEventListener("resize", redraw);
room();
filter();
for (const block of $(".block")) watcher.observe(block);
