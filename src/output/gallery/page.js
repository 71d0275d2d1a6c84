"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = id => document.getElementById(id);
const make = (tag, set = {}, ...children) => { const e = Object.assign(document.createElement(tag), set); e.append(...children); return e; };
const NS = "http://www.w3.org/2000/svg";
const units = data.units;
const encoded = path => path.split("/").map(encodeURIComponent).join("/");
const number = value => value === null ? "none" : Number(value.toPrecision(4)).toString();
const name = unit => unit.label || "channel " + unit.channel;
const channel = unit => "channel " + unit.channel + (unit.spatial ? " at " + unit.spatial : "");
const distinct = values => [...new Set(values)];
const networks = distinct(units.map(unit => unit.network || ""));
const ENDINGS = { "Metaresult: majority success": "largest of its layer", "Metaresult: majority failure": "never the largest of its layer", "Metaresult: grad 0 failure": "gradient 0" };
const ending = unit => ENDINGS[unit.result] || unit.result;
// Which network, where there are several.
const network = unit => networks.length > 1 ? unit.network || "unnamed network" : "";
const place = unit => [network(unit), unit.layer, channel(unit), "seed " + unit.seed].filter(Boolean).join(", ");

// Addresses: layer/channel/seed, with the files' name behind it where another unit has that address already.
const byAddress = new Map(), byKey = new Map();
for (const unit of units) {
  unit.key = JSON.stringify([unit.network, unit.layer, unit.channel, unit.spatial]);
  byKey.set(unit.key, [...(byKey.get(unit.key) || []), unit]);
  const short = unit.layer + "/" + unit.channel + "/" + unit.seed;
  unit.address = byAddress.has(short) ? short + "~" + unit.files : short;
  byAddress.set(unit.address, unit);
}
const seedsOf = unit => byKey.get(unit.key);
const link = unit => "#" + encoded(unit.address);
function addressed() {
  try { return byAddress.get(decodeURIComponent(location.hash.slice(1))); } catch { return undefined; }
}

let shown = [], current = null;

function curve(unit, kind) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("class", kind); svg.setAttribute("viewBox", "0 0 100 100"); svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const ii = unit.curve_ii, obj = unit.curve_obj;
  if (ii.length > 1) {
    const low = Math.min(...obj), high = Math.max(...obj), last = ii[ii.length - 1] || 1;
    const line = document.createElementNS(NS, "polyline");
    line.setAttribute("points", ii.map((i, k) => (100 * i / last).toFixed(2) + "," + (96 - 92 * (obj[k] - low) / (high - low || 1)).toFixed(2)).join(" "));
    svg.append(line);
  }
  return svg;
}

function card(unit) {
  const line = (className, textContent) => make("span", { className, textContent });
  const picture = unit.thumbnail ? make("img", { src: unit.thumbnail, alt: "", loading: "lazy" }) : line("none", "");
  const seeds = byId("group").checked ? seedsOf(unit).length : 1;
  const where = [unit.layer, unit.label || unit.spatial ? channel(unit) : "", seeds > 1 ? seeds + " seeds" : "seed " + unit.seed];
  const lines = [line("name", name(unit)), line("what", where.filter(Boolean).join(", "))];
  if (network(unit)) lines.push(line("what", network(unit)));
  lines.push(line("what objective", "objective " + number(unit.objective)));
  if (ending(unit)) lines.push(line("what", ending(unit)));
  const card = make("a", { className: "unit", href: link(unit) }, picture, ...lines, curve(unit, "spark"));
  card.setAttribute("aria-label", lines.map(line => line.textContent).join(", "));
  return card;
}

// What a word of the filter asks for. "seed 2" and "channel 7" mean those fields; a number by itself means the channel, or a
// number that stands by itself in a name; in other words digits end where the number ends, so that conv1 is not conv10.
function conditions(text) {
  const words = text.toLowerCase().replace(/\b(seed|channel)\s*[:=#]?\s*(\d+)/g, "$1=$2").split(/[\s,]+/).filter(Boolean);
  return words.map(word => {
    const field = word.match(/^(seed|channel)=(\d+)$/);
    if (field) return unit => unit[field[1]] === Number(field[2]);
    const literal = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const pattern = new RegExp((/^\d/.test(word) ? "(^|\\D)" : "") + literal + (/\d$/.test(word) ? "(\\D|$)" : ""));
    const isNumber = /^\d+$/.test(word), alone = new RegExp("(^|\\s)" + literal + "(\\s|$)");
    return unit => isNumber
      ? unit.channel === Number(word) || alone.test(name(unit).toLowerCase())
      : pattern.test([name(unit), unit.layer, channel(unit), "seed " + unit.seed, unit.network || "", ending(unit)].join("\n").toLowerCase());
  });
}

function draw() {
  const text = byId("filter").value, wanted = conditions(text), sort = byId("sort").value;
  const layer = byId("layer").value, of = byId("network").value;
  shown = units.filter(unit => (!layer || unit.layer === layer) && (!of || unit.network === of) && wanted.every(holds => holds(unit)));
  const value = unit => unit.objective === null ? -Infinity : unit.objective;
  if (sort === "down") shown.sort((a, b) => value(b) - value(a));
  if (sort === "up") shown.sort((a, b) => value(a) - value(b));
  if (sort === "label") shown.sort((a, b) => name(a).localeCompare(name(b)));
  if (byId("group").checked) {
    const seen = new Set();
    shown = shown.filter(unit => !seen.has(unit.key) && seen.add(unit.key));
  }
  const grouped = byId("group").checked, of_all = grouped || shown.length === units.length ? "" : " of " + units.length;
  const one = (of_all ? units.length : shown.length) === 1;
  byId("count").textContent = shown.length ? shown.length + of_all + (grouped ? " unit" : " picture") + (one ? "" : "s") : "nothing matches";
  const main = byId("main"); main.replaceChildren();
  if (!shown.length) {
    const back = make("button", { type: "button", textContent: "show all " + units.length + " pictures" });
    back.onclick = () => { for (const id of ["filter", "layer", "network"]) byId(id).value = ""; draw(); byId("filter").focus(); };
    main.append(make("div", { className: "empty" }, make("p", { textContent: "Nothing matches" + (text ? " “" + text + "”" : "") + "." }), back));
    return;
  }
  const montage = (key, text) => data.montages.filter(key).map(montage => make("a", { className: "montage", href: encoded(montage.file), textContent: text }));
  main.append(...montage(montage => montage.layer === null, "montage of everything"));
  if (sort === "place") {
    const section = unit => JSON.stringify([unit.network, unit.layer]);
    for (const key of distinct(shown.map(section))) {
      const some = shown.filter(unit => section(unit) === key), first = some[0];
      main.append(make("h2", { textContent: [network(first), first.layer].filter(Boolean).join(" · ") }));
      main.append(...montage(montage => montage.channel === null && montage.layer === first.layer && montage.network === first.network, "montage of " + first.layer));
      main.append(make("div", { className: "grid" }, ...some.map(card)));
    }
  } else main.append(make("div", { className: "grid" }, ...shown.map(card)));
}

function figure(unit, ending, caption) {
  const image = make("img", { src: encoded(unit.files + ending), alt: name(unit) + ", " + caption });
  image.onerror = () => { image.onerror = null; if (unit.thumbnail && ending.includes("Xpm")) image.src = unit.thumbnail; else image.parentNode.remove(); };
  return make("figure", {}, image, make("figcaption", { textContent: caption }));
}

// Everything of the dialog but its buttons, which stay, so that focus stays on them.
function fill(unit) {
  current = unit;
  byId("unit-name").textContent = name(unit);
  byId("unit-where").textContent = [place(unit), "objective " + number(unit.objective), ending(unit)].filter(Boolean).join(" · ");
  const pictures = make("div", { className: "pictures" }, figure(unit, "_best_Xpm.jpg", "best image plus mean"), figure(unit, "_best_X.jpg", "best image, zero is grey"));
  if (unit.climb) pictures.append(figure(unit, "_climb.gif", "the climb"));
  const parts = [pictures];
  if (unit.curve_ii.length > 1) {
    const last = unit.curve_ii[unit.curve_ii.length - 1];
    parts.push(curve(unit, "curve"), make("p", { className: "help", textContent: "objective from " + number(unit.curve_obj[0]) + " to " + number(Math.max(...unit.curve_obj)) + " in " + (last + 1) + " iterations" }));
  }
  const seeds = seedsOf(unit);
  // Of images that are compared, one picture shows all; it lies beside the first.
  if (unit.together) parts.push(make("div", { className: "together" }, figure({ ...unit, files: unit.together }, "_together.png", "the images that climbed together")));
  if (seeds.length > 1) {
    parts.push(make("p", { className: "help", textContent: seeds.length + " pictures of this unit" }), make("div", { className: "seeds" }, ...seeds.map(other => {
      const seed = make("a", { href: link(other) }, make("img", { src: other.thumbnail, alt: "" }), "seed " + other.seed);
      if (other === unit) seed.setAttribute("aria-current", "true");
      seed.onclick = event => { if (plain(event)) { event.preventDefault(); step(other, true); } };
      return seed;
    })));
    parts.push(...data.montages.filter(montage => montage.channel === unit.channel && montage.layer === unit.layer && montage.network === unit.network && montage.spatial === unit.spatial)
      .map(montage => make("a", { className: "montage", href: encoded(montage.file), textContent: "montage of the seeds" })));
  }
  parts.push(make("table", {}, ...unit.facts.map(([key, value]) => make("tr", {}, make("th", { textContent: key, scope: "row" }), make("td", { textContent: value })))));
  byId("unit-content").replaceChildren(...parts);
}

const plain = event => !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;

// Goes from unit to unit without leaving a trail: Back then closes the dialog, wherever one has stepped to.
function step(unit, toSeed) {
  history.replaceState(null, "", link(unit));
  fill(unit);
  byId("unit").scrollTop = 0;
  if (toSeed) document.querySelector(".seeds [aria-current]").focus();
}

function neighbour(by) {
  const list = shown.length ? shown : units;
  let at = list.indexOf(current);
  if (at < 0) at = list.findIndex(unit => unit.key === current.key);
  step(list[at < 0 ? 0 : (at + by + list.length) % list.length]);
}

// Whether the entry before this one is the page without a dialog, so that closing may go back to it.
let opened = false;

function follow() {
  const unit = addressed(), dialog = byId("unit");
  if (unit) {
    fill(unit);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  } else {
    if (dialog.open) dialog.close();
    if (location.hash.length > 1) byId("count").textContent = "there is no unit “" + location.hash.slice(1) + "” here";
  }
}

window.addEventListener("hashchange", () => { opened = !byId("unit").open; follow(); });
byId("unit").addEventListener("close", () => {
  if (addressed()) {
    if (opened) history.back(); else history.replaceState(null, "", location.pathname + location.search);
  }
  const cards = [...document.querySelectorAll(".unit")];
  const at = byId("group").checked ? shown.findIndex(unit => unit.key === current.key) : shown.indexOf(current);
  (cards[at] || byId("filter")).focus();
});
byId("previous").onclick = () => neighbour(-1);
byId("next").onclick = () => neighbour(1);
byId("close").onclick = () => byId("unit").close();

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (byId("unit").open) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { neighbour(by); event.preventDefault(); }
    return;
  }
  const typing = ["INPUT", "SELECT"].includes(document.activeElement.tagName);
  if (event.key === "/" && !typing) { byId("filter").focus(); event.preventDefault(); return; }
  if (event.key === "Escape" && typing) { document.activeElement.blur(); return; }
  if (typing || !event.key.startsWith("Arrow")) return;
  const cards = [...document.querySelectorAll(".unit")];
  if (!cards.length) return;
  const at = cards.indexOf(document.activeElement);
  const columns = cards.filter(card => card.offsetTop === cards[0].offsetTop).length;
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  const to = at < 0 ? 0 : Math.min(Math.max(at + by, 0), cards.length - 1);
  cards[to].focus(); cards[to].scrollIntoView({ block: "nearest" }); event.preventDefault();
});

const option = value => make("option", { value, textContent: value });
byId("layer").append(make("option", { value: "", textContent: "all layers" }), ...distinct(units.map(unit => unit.layer)).map(option));
byId("network").append(make("option", { value: "", textContent: "all networks" }), ...networks.filter(Boolean).map(option));
byId("network").hidden = networks.length < 2;
byId("group-switch").hidden = byKey.size === units.length;
for (const id of ["filter", "layer", "network", "sort", "group"]) byId(id).addEventListener("input", draw);
draw();
follow();
