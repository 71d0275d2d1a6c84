"use strict";
const byId = id => document.getElementById(id);
const make = (tag, set = {}, ...children) => { const e = Object.assign(document.createElement(tag), set); e.append(...children); return e; };
const NS = "http://www.w3.org/2000/svg";
const number = value => value === null || value === undefined ? "–" : Number(value.toPrecision(4)).toString();
const grouped = value => value.toString().replace(/\B(?=(\d{3})+$)/g, " ");
const clock = seconds => { const s = Math.round(seconds); return s >= 3600 ? Math.floor(s / 3600) + " h " + Math.floor(s / 60 % 60) + " min" : s >= 60 ? Math.floor(s / 60) + " min " + s % 60 + " s" : s + " s"; };
const token = new URLSearchParams(location.search).get("token");
const address = (path, query = {}) => { const all = new URLSearchParams(query); if (token) all.set("token", token); const text = all.toString(); return path + (text ? "?" + text : ""); };

let model, layer = null, preset = null, run = null, resultsSeen = -1, results = [], chosen = 0, photo = null, from = null;
const values = {};

// What is wrong, until the next thing works.
function trouble(text) { byId("trouble").textContent = text || ""; byId("trouble").hidden = !text; }

async function ask(path, body) {
  let answer;
  try {
    answer = await fetch(address(path), body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch { throw new Error("deepvis does not answer: was it ended? Start it again and reload this page."); }
  const text = await answer.text();
  let value; try { value = JSON.parse(text); } catch { value = { error: text }; }
  if (!answer.ok) throw new Error(value.error || "error " + answer.status);
  return value;
}
const attempt = work => work().then(() => trouble(""), error => trouble(error.message));

// The network.

const shape = row => row.shape.join(" × ");
const rowId = index => "layer-" + index;

function drawLayers() {
  const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean), list = byId("layers");
  const shown = model.layers.map((row, index) => ({ row, index })).filter(({ row }) => words.every(word => (row.name + " " + row.kind).toLowerCase().includes(word)));
  list.replaceChildren(...shown.map(({ row, index }) => {
    const item = make("div", { id: rowId(index), title: row.problem || "" }, make("b", { textContent: row.name }), make("span", { className: "shape", textContent: shape(row) }),
      make("span", { textContent: row.kind + (row.labelled ? " · labelled" : "") }), make("span", { className: "shape", textContent: row.parameters ? grouped(row.parameters) : "" }));
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", row === layer);
    if (!row.push) { item.setAttribute("aria-disabled", "true"); item.append(make("span", { className: "why", textContent: row.problem })); }
    else item.onclick = () => pickLayer(row);
    return item;
  }));
  if (!shown.length) list.append(make("p", { className: "help", textContent: "nothing matches" }));
  mark();
}

function mark() {
  for (const item of byId("layers").children) item.setAttribute && item.id && item.setAttribute("aria-selected", model.layers[Number(item.id.slice(6))] === layer);
  const at = model.layers.indexOf(layer), item = byId(rowId(at));
  if (item) { byId("layers").setAttribute("aria-activedescendant", item.id); item.scrollIntoView({ block: "nearest" }); } else byId("layers").removeAttribute("aria-activedescendant");
}

const labels = () => layer && layer.labelled ? model.labels : [];
const channelName = (channel, names = labels()) => names[channel] ? names[channel] + " (" + channel + ")" : "channel " + channel;

function pickLayer(row, channel) {
  layer = row;
  const last = row.shape[0] - 1, slider = byId("channel-slider");
  slider.max = last;
  byId("names").replaceChildren(...[...new Set(labels())].map(value => make("option", { value })));
  byId("channels-help").textContent = (last + 1) + " channels" + (row.shape.length > 1 ? " of " + row.shape.slice(1).join(" × ") : "") +
    ": a number, several as 0-8,24" + (labels().length ? ", a name or a pattern such as *dog*" : "") + ", or all, which climb together.";
  pickChannel(channel === undefined ? Math.min(Number(slider.value), last) : channel);
  mark();
  if (photo) lookAt();
}

function pickChannel(channel) {
  const last = layer.shape[0] - 1;
  channel = Math.max(0, Math.min(last, channel));
  byId("channel-slider").value = channel;
  byId("channels").value = String(channel);
  typed();
}

// The channel box was changed: the slider follows where it names one channel.
function typed() {
  const text = byId("channels").value.trim();
  const named = labels().findIndex(name => name.toLowerCase() === text.toLowerCase());
  const one = /^\d+$/.test(text) ? Number(text) : named;
  if (one >= 0 && one < layer.shape[0]) byId("channel-slider").value = one;
  byId("unit-name").textContent = values.objective || (layer.name + ", " + (one >= 0 ? channelName(one) : text === "all" ? "all " + layer.shape[0] + " channels" : "channels " + text));
  byId("channel-slider").setAttribute("aria-valuetext", one >= 0 ? channelName(one) : text);
  changed();
}

function stepLayer(by) {
  const pushable = model.layers.filter(row => row.push && byId(rowId(model.layers.indexOf(row))));
  const at = pushable.indexOf(layer);
  if (pushable.length) pickLayer(pushable[Math.max(0, Math.min(pushable.length - 1, at < 0 ? 0 : at + by))]);
}

// The recipe.

const RATES = { constant: ["lr"], progress: ["max_lr", "desired_prog"], progress01: ["max_lr", "early_prog", "late_prog_mult"] };
const ofPreset = name => (preset.settings[name] === undefined ? "" : preset.settings[name]);

function field(setting) {
  const id = "set-" + setting.name, current = values[setting.name] === undefined ? ofPreset(setting.name) : values[setting.name];
  let control;
  const isSwitch = setting.kind === "switch";
  if (isSwitch) control = make("input", { type: "checkbox", checked: current === "on" });
  else if (setting.kind === "choice") control = make("select", {}, ...setting.values.map(value => make("option", { value, textContent: value })));
  else if (setting.kind === "number") control = make("input", { type: "number", min: setting.min, max: setting.max, step: "any", inputMode: "decimal" });
  else control = make("input", { type: "text", autocomplete: "off", spellcheck: false });
  control.id = id;
  if (!isSwitch) control.value = setting.name === "push-dir" && current === "" ? "1" : current;
  if (setting.name === "size") control.placeholder = preset.photo === "must" || preset.name === "maco" ? "twice the network's" : preset.name === "deepdream" ? "2.7 times the network's" : "the network's";
  if (setting.name === "push-spatial" && current === "") control.placeholder = "corner; center, or (6,6)";
  control.setAttribute("aria-describedby", id + "-help");
  const box = make("div", { className: "field" }, make("label", { htmlFor: id, textContent: setting.label }), control, make("p", { className: "help", id: id + "-help", textContent: brief(setting.help) }));
  box.title = setting.help;
  const mark = () => box.classList.toggle("changed", values[setting.name] !== undefined);
  mark();
  control.addEventListener("input", () => {
    const value = isSwitch ? (control.checked ? "on" : "") : control.value.trim(), standard = setting.name === "push-dir" ? "1" : ofPreset(setting.name);
    if (value === "" || value === standard) delete values[setting.name]; else values[setting.name] = value;
    if (setting.name === "lr-policy") { values["lr-params"] = rateOf(value); if (value === ofPreset("lr-policy")) delete values["lr-params"]; drawSettings(); byId("set-lr-policy").focus(); }
    if (setting.name === "objective") typed();
    mark(); changed();
  });
  return box;
}

// The first sentence of a help text.
const brief = help => { const end = help.search(/\. /); return end > 20 ? help.slice(0, end) + "." : help; };
const rateOf = policy => "{" + RATES[policy].map(key => JSON.stringify(key) + ": " + { lr: 1, max_lr: 100, desired_prog: 2, early_prog: 0.03, late_prog_mult: 0.1 }[key]).join(", ") + "}";

function drawSettings() {
  const fit = model.settings.filter(setting => setting.name !== "preset" && (!setting.presets.length || setting.presets.includes(preset.name)));
  for (const name of Object.keys(values)) if (!fit.some(setting => setting.name === name)) delete values[name];
  const rare = ["small-norm-percentile", "small-val-percentile", "px-benefit-percentile", "px-abs-benefit-percentile", "start-at", "push-spatial", "push-dir", "transforms", "crops", "optimizer", "parameterization", "colour", "decay-power", "deviation", "alpha"];
  const isRare = setting => rare.includes(setting.name), wasOpen = byId("more") && byId("more").open;
  const more = make("details", { id: "more", open: Boolean(wasOpen) || fit.some(setting => isRare(setting) && values[setting.name] !== undefined) }, make("summary", { textContent: "More settings" }), ...fit.filter(isRare).map(field));
  byId("settings").replaceChildren(...fit.filter(setting => !isRare(setting)).map(field), more);
  byId("preset-help").textContent = preset.help;
  drawFrom();
}

// The photograph that the recipe begins with, where it can.
const beginsWith = () => from && preset.photo !== "never" ? from.name : undefined;

function drawFrom() {
  const used = beginsWith(), picture = byId("from-picture");
  byId("from-text").textContent = used ? from.title : preset.photo === "must" ? "no photograph yet" : "noise";
  byId("from-forget").hidden = !used;
  picture.hidden = !used;
  if (used && picture.src !== from.url) picture.src = from.url;
  byId("from-help").textContent = used ? "It is kept in the results folder, so that the command can be run again." :
    preset.photo === "never" ? "This preset begins with nothing else." : "Drop a photograph below and press “Start from it”.";
}

function pickPreset(name) {
  preset = model.presets.find(known => known.name === name) || model.presets[0];
  byId("preset").value = preset.name;
  drawSettings(); changed();
}

const wish = () => ({ layer: layer.push, channels: byId("channels").value.trim(), seeds: byId("seeds").value.trim() || "0", settings: { preset: preset.name, ...values }, start_from: beginsWith() });
const lacks = () => preset.photo === "must" && !from ? preset.name + " needs a photograph: drop one below and press “Start from it”." : "";

let waiting = null, asked = 0;
function changed() {
  if (!layer || !preset) return;
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const mine = ++asked;
    if (lacks()) { byId("command").textContent = lacks(); byId("start").textContent = "Start"; trouble(""); controls(); return; }
    controls();
    try {
      const plan = await ask("/api/plan", wish());
      if (mine !== asked) return;
      byId("command").textContent = plan.command;
      byId("start").textContent = plan.units > 1 ? "Start " + plan.units : "Start";
      trouble("");
    } catch (error) { if (mine === asked) trouble(error.message); }
  }, 150);
}

// The climb.

// Where rates were changed, in words: no flag does that, so the command does not.
const changesOf = unit => (unit && unit.rate_changes || []).map(change => "× " + number(change.factor) + " from iteration " + change.iteration + " on").join(", ");
function noteChanges() {
  const changes = run ? [...new Set(run.units.map(changesOf).filter(Boolean))] : [];
  const text = changes.length ? "The climb above is not what a command does: its rate was changed while it ran (" + changes.join("; ") + ")." : "";
  if (byId("command-note").textContent !== text) byId("command-note").textContent = text;
}

const start = replace => attempt(() => ask("/api/start", { wish: wish(), replace }));
const climbing = () => run && !run.is_over;

byId("start").onclick = () => start(false);
byId("pause").onclick = () => attempt(() => ask(run && run.status === "paused" ? "/api/resume" : "/api/pause", {}));
byId("keep").onclick = () => attempt(() => ask("/api/stop", { keep: true }));
byId("drop").onclick = () => attempt(() => ask("/api/stop", { keep: false }));
byId("again").onclick = () => {
  const seed = byId("seeds").value.trim().match(/(\d+)$/);
  byId("seeds").value = String((seed ? Number(seed[1]) + 1 : 0) % 4294967296);
  changed(); start(true);
};
byId("rate").oninput = () => { byId("rate-text").textContent = "× " + number(10 ** Number(byId("rate").value)); };
byId("rate").onchange = () => attempt(() => ask("/api/rate", { factor: Number((10 ** Number(byId("rate").value)).toPrecision(4)) }));

const STATUS = { preparing: "preparing the network", climbing: "climbing", paused: "paused", done: "done and saved", stopped: "stopped", interrupted: "interrupted: it goes on when it is started again", failed: "failed" };
const unitName = unit => unit.label || "channel " + unit.channel;

function hear(news) {
  if (news.ended) trouble("deepvis was ended. Start it again and reload this page.");
  if (news.results !== resultsSeen) { resultsSeen = news.results; fetchResults(); }
  if (!news.run) { controls(); return; }
  const isNew = !run || run.id !== news.run.id || news.run.units.some(unit => unit.layer !== undefined);
  if (isNew) { run = { ...news.run, units: [] }; chosen = 0; byId("rate").value = 0; }
  else run = { ...run, ...news.run, units: run.units };
  for (const unit of news.run.units) {
    const known = run.units[unit.index] || (run.units[unit.index] = { points: [] });
    if (unit.curve) known.points = known.points.slice(0, unit.curve.from).concat(unit.curve.points);
    Object.assign(known, unit);
  }
  if (isNew) drawCells();
  for (const unit of news.run.units) drawCell(unit.index, unit.frame);
  drawFigures(); controls();
}

function drawCells() {
  const box = byId("pictures");
  box.classList.toggle("alone", run.units.length === 1);
  box.replaceChildren(...run.units.map((unit, index) => {
    const picture = make("div", { className: "blank", textContent: "waiting" });
    const cell = make("button", { type: "button", className: "cell" }, make("figure", {}, picture, make("figcaption")));
    cell.setAttribute("aria-label", unitName(unit) + " of " + unit.layer);
    cell.setAttribute("aria-pressed", index === chosen);
    cell.onclick = () => { chosen = index; [...box.children].forEach((other, at) => other.setAttribute("aria-pressed", at === index)); drawFigures(); };
    return cell;
  }));
}

function drawCell(index, frame) {
  const cell = byId("pictures").children[index], unit = run.units[index];
  if (!cell || !unit) return;
  const figure = cell.firstChild;
  figure.dataset.status = unit.status;
  if (frame) {
    let image = figure.querySelector("img");
    if (!image) { image = make("img"); figure.firstChild.replaceWith(image); }
    image.alt = unitName(unit) + " of " + unit.layer;
    image.src = frame;
  }
  const seed = unit.seed ? ", seed " + unit.seed : "";
  figure.querySelector("figcaption").replaceChildren(make("b", { textContent: unitName(unit) }), " " + (unit.label ? unit.channel : "") + seed + " · " +
    (unit.status === "failed" ? unit.message : unit.message || (unit.status === "waiting" ? "waiting" : number(unit.objective))));
}

function drawFigures() {
  const unit = run.units[chosen];
  const done = run.units.filter(unit => unit.status === "done" || unit.status === "failed").length;
  const of = run.units.length > 1 ? done + " of " + run.units.length + " units · " : "";
  byId("status").textContent = of + (STATUS[run.status] || run.status) + (run.error ? ": " + run.error : "");
  const all = run.steps * run.units.length;
  byId("progress").value = all ? run.units.reduce((sum, unit) => sum + (unit.status === "done" ? run.steps : unit.iteration), 0) / all : 0;
  if (unit) {
    const facts = [["unit", unit.layer + ", " + unitName(unit)], ["iteration", unit.iteration + " of " + run.steps], ["objective", number(unit.objective) + (unit.best !== null && unit.best !== undefined ? ", best " + number(unit.best) : "")]];
    if (unit.largest) facts.push(["largest unit", unit.largest.channel === unit.channel ? "this one" : (unit.largest.label || "channel " + unit.largest.channel)]);
    facts.push(["rate", number(unit.rate) + (changesOf(unit) ? ", " + changesOf(unit) : "")], ["time", clock(run.elapsed) + (run.left !== null && !run.is_over ? ", " + clock(run.left) + " left" : "")]);
    byId("facts").replaceChildren(...facts.flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })]));
    drawCurve(unit.points);
  }
  byId("notes").replaceChildren(...run.notes.map(textContent => make("li", { textContent })));
  if (document.activeElement !== byId("rate")) byId("rate").value = Math.log10(run.factor);
  noteChanges();
  byId("rate-text").textContent = "× " + number(document.activeElement === byId("rate") ? 10 ** Number(byId("rate").value) : run.factor);
}

function drawCurve(points) {
  const svg = byId("curve");
  if (points.length < 2) { svg.replaceChildren(); byId("curve-high").textContent = byId("curve-low").textContent = ""; return; }
  let low = Infinity, high = -Infinity;
  for (const [, value] of points) { low = Math.min(low, value); high = Math.max(high, value); }
  const last = points[points.length - 1][0] || 1;
  const line = document.createElementNS(NS, "polyline");
  line.setAttribute("points", points.map(([i, value]) => (300 * i / last).toFixed(1) + "," + (112 - 104 * (value - low) / (high - low || 1)).toFixed(1)).join(" "));
  svg.replaceChildren(line);
  svg.setAttribute("aria-label", "objective by iteration, from " + number(points[0][1]) + " to " + number(points[points.length - 1][1]));
  byId("curve-high").textContent = number(high); byId("curve-low").textContent = number(low);
}

function controls() {
  const on = climbing();
  byId("start").disabled = on || Boolean(lacks());
  byId("pause").disabled = !on || run.status === "preparing";
  byId("pause").textContent = run && run.status === "paused" ? "Go on" : "Pause";
  byId("keep").disabled = byId("drop").disabled = byId("rate").disabled = !on;
  byId("live").hidden = !run;
}

function listen() {
  const source = new EventSource(address("/api/events"));
  source.onmessage = event => { const news = JSON.parse(event.data); if (news.ended) source.close(); hear(news); };
  source.onopen = () => { run = null; resultsSeen = -1; };
}

// Results.

const pictureOf = (result, ending) => address("/api/results/file", { files: result.files, ending, changed: result.changed });

async function fetchResults() {
  try { results = await ask("/api/results"); } catch (error) { trouble(error.message); return; }
  byId("results-help").textContent = results.length ? "Saved as the command line saves them, and shown by deepvis gallery, too." : "Nothing yet: what climbs to its end, or is stopped and kept, is saved and shown here.";
  byId("results").replaceChildren(...results.map(result => {
    const image = make("img", { src: pictureOf(result, result.picture), alt: "", loading: "lazy" });
    const button = make("button", { type: "button" }, image, make("b", { textContent: result.label || "channel " + result.push_channel }),
      make("span", { textContent: result.push_layer + " " + result.push_channel + ", seed " + result.rand_seed }), make("span", { textContent: "objective " + number(result.best_obj) }));
    button.onclick = () => showResult(result);
    return button;
  }));
}

function showResult(result) {
  byId("result-name").textContent = (result.label || "channel " + result.push_channel) + " of " + result.push_layer;
  const figure = (ending, caption) => { const image = make("img", { src: pictureOf(result, ending), alt: caption }); image.onerror = () => image.parentNode.remove(); return make("figure", {}, image, make("figcaption", { textContent: caption })); };
  const pictures = make("div", { className: "two" }, ...(result.picture === "image.png" ? [figure("image.png", "the image")] : []), figure("best_Xpm.jpg", "best image plus mean"), figure("best_X.jpg", "best image, zero is grey"));
  const hidden = ["curve_ii", "curve_obj", "picture", "changed", "error", "label", "image"];
  const rows = Object.entries(result).filter(([key, value]) => !hidden.includes(key) && value !== null && value !== 0 && value !== "");
  const again = make("button", { type: "button", textContent: "Pick this unit" });
  again.onclick = () => { const row = model.layers.find(row => row.push === result.push_layer); byId("result").close(); if (row) { byId("seeds").value = result.rand_seed; pickLayer(row, result.push_channel); } };
  byId("result-content").replaceChildren(pictures, again, make("table", {}, ...rows.map(([key, value]) => make("tr", {}, make("th", { textContent: key, scope: "row" }), make("td", { textContent: Array.isArray(value) ? value.join(" × ") : String(value) })))));
  byId("result").showModal();
}
byId("result-close").onclick = () => byId("result").close();

// What hands do.

byId("filter").addEventListener("input", drawLayers);
byId("channel-slider").oninput = () => pickChannel(Number(byId("channel-slider").value));
byId("channel-less").onclick = () => pickChannel(Number(byId("channel-slider").value) - 1);
byId("channel-more").onclick = () => pickChannel(Number(byId("channel-slider").value) + 1);
byId("channels").oninput = typed;
byId("seeds").oninput = changed;
byId("preset").onchange = () => pickPreset(byId("preset").value);
byId("reset").onclick = () => { for (const name of Object.keys(values)) delete values[name]; drawSettings(); changed(); };
byId("copy").onclick = async () => {
  try { await navigator.clipboard.writeText(byId("command").textContent); byId("copy").textContent = "Copied"; }
  catch { getSelection().selectAllChildren(byId("command")); byId("copy").textContent = "Press Ctrl-C"; }
  setTimeout(() => { byId("copy").textContent = "Copy"; }, 1500);
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || !layer || byId("result").open) return;
  const at = document.activeElement, writes = ["INPUT", "SELECT", "TEXTAREA"].includes(at.tagName);
  if (event.key === "/" && !writes) { byId("filter").focus(); event.preventDefault(); return; }
  if (event.key === "Escape" && writes) { at.blur(); return; }
  if (event.key === "Enter" && (at === byId("channels") || at === byId("layers") || at === document.body)) { if (!climbing() && !lacks()) start(false); event.preventDefault(); return; }
  if (writes) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key], up = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (by) { pickChannel(Number(byId("channel-slider").value) + by); event.preventDefault(); }
  if (up && (at === byId("layers") || at === document.body)) { stepLayer(up); event.preventDefault(); }
  if (event.key === " " && at === document.body && climbing()) { byId("pause").click(); event.preventDefault(); }
});

(async () => {
  try { model = await ask("/api/model"); } catch (error) { trouble(error.message); return; }
  const parameters = model.layers.reduce((sum, row) => sum + row.parameters, 0);
  byId("network").textContent = model.name;
  byId("about").textContent = model.layers.length + " layers · " + grouped(parameters) + " parameters · computed by " + model.backend + " · deepvis " + model.version;
  document.title = model.name + " · deepvis explore";
  byId("preset").append(...model.presets.map(known => make("option", { value: known.name, textContent: known.name })));
  const pushable = model.layers.filter(row => row.push);
  if (!pushable.length) { trouble("no layer of this network can be pushed; the list says why"); drawLayers(); return; }
  const first = pushable.find(row => row.push === model.first.layer) || pushable.find(row => row.labelled) || pushable[pushable.length - 1];
  preset = model.presets.find(known => known.name === (model.first.preset || "paper-3")) || model.presets[0];
  byId("preset").value = preset.name;
  drawSettings(); layer = first; drawLayers();
  pickLayer(first, Math.min(model.first.channel || 0, first.shape[0] - 1));
  controls(); listen();
})();
