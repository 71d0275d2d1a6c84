// A photograph.

async function lookAt() {
  const mine = photo;
  byId("photo-answer").replaceChildren(make("p", { className: "help", textContent: "looking…" }));
  let answer;
  try {
    answer = await upload("/api/photo", { layer: layer.push }, mine);
  } catch (error) { byId("photo-answer").replaceChildren(); trouble(error.message); return; }
  if (mine !== photo) return;
  trouble("");
  const bars = (list, of) => {
    const most = Math.max(...list.map(found => found.value), 1e-9), row = model.layers.find(row => row.push === of);
    return make("ul", { className: "bars" }, ...list.map(found => {
      const name = found.label ? found.label + " (" + found.channel + ")" : "channel " + found.channel;
      const button = make("button", { type: "button", textContent: name, title: "pick it" });
      button.onclick = () => { if (row) pickLayer(row, found.channel); };
      const meter = make("meter", { min: 0, max: most, value: Math.max(0, found.value) });
      meter.setAttribute("aria-label", name + ": " + number(found.value));
      return make("li", {}, button, make("span", { textContent: number(found.value) }), meter);
    }));
  };
  const climb = make("button", { type: "button", className: "main", textContent: "Climb these " + answer.channels.length });
  climb.onclick = () => { const row = model.layers.find(row => row.push === answer.layer); const wanted = answer.channels.map(found => found.channel).join(","); if (row !== layer) pickLayer(row); byId("channels").value = wanted; typed(); start(false); byId("live").scrollIntoView({ block: "nearest" }); };
  const parts = answer.class_layer === answer.layer ? [] : [make("h2", { textContent: "What " + answer.class_layer + " takes it for" }), bars(answer.classes.slice(0, 6), answer.class_layer)];
  const begin = make("button", { type: "button", id: "photo-start", textContent: "Start from it" });
  begin.onclick = startFrom;
  const said = make("p", { className: "help", id: "photo-start-help", textContent: "Instead of noise: accentuate and deepdream are made for that." });
  begin.setAttribute("aria-describedby", "photo-start-help");
  byId("photo-answer").replaceChildren(make("div", { className: "row" }, begin, said), ...parts, make("h2", { textContent: "Channels of " + answer.layer + " that answer most" }), bars(answer.channels, answer.layer), climb);
}

// Keeps the photograph, and has the recipe begin with it.
async function startFrom() {
  const mine = photo, sent = byId("photo").src;
  let answer;
  try { answer = await upload("/api/photo/keep", {}, mine); } catch (error) { trouble(error.message); return; }
  if (mine !== photo) return;
  from = { name: answer.name, title: mine.name || "the photograph", url: sent };
  delete values["start-at"];
  if (preset.photo === "never" || !preset.name.match(/^(fourier|deepdream|accentuate|olah-2017)$/)) pickPreset("accentuate");
  else { drawSettings(); changed(); }
  trouble("");
  byId("from-field").scrollIntoView({ block: "nearest" });
  byId("from-forget").focus({ preventScroll: true });
}
byId("from-forget").onclick = () => { from = null; if (preset.photo === "must") pickPreset("fourier"); else { drawFrom(); changed(); } byId("preset").focus(); };

async function upload(path, query, file) {
  let sent;
  try { sent = await fetch(address(path, query), { method: "POST", headers: { "Content-Type": file.type || "image/jpeg" }, body: file }); }
  catch { throw new Error("the photograph could not be sent: is it larger than 32 MB, or was deepvis ended?"); }
  const text = await sent.text();
  let answer; try { answer = JSON.parse(text); } catch { answer = { error: text }; }
  if (!sent.ok) throw new Error(answer.error || "error " + sent.status);
  return answer;
}

function take(file) {
  if (!file) return;
  photo = file;
  const image = byId("photo");
  if (image.src) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file); image.alt = file.name; image.hidden = false;
  byId("photo-text").textContent = file.name || "the photograph";
  byId("photo-panel").scrollIntoView({ block: "nearest" });
  lookAt();
}
byId("photo-file").onchange = () => take(byId("photo-file").files[0]);
for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, event => {
  event.preventDefault();
  byId("drop-zone").classList.toggle("over", kind === "dragover");
  if (kind === "drop") take(event.dataTransfer.files[0]);
});
