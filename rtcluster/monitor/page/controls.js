// What can be asked for: by buttons, and all of it by keys.

const STEP = 1.1; // of the threshold, up or down
const LIMITS = [0.001, 100];
const PENDING_MS = 400; // how long an asked threshold stands for the one that is not back yet
const NOTICE_MS = 6000;
const NOTICES = 3;

const by = (id) => document.getElementById(id);

export function notice(text) {
  const line = document.createElement("p");
  line.textContent = text;
  by("notices").append(line);
  while (by("notices").children.length > NOTICES) by("notices").firstChild.remove();
  setTimeout(() => line.remove(), NOTICE_MS);
}

export class Controls {
  constructor(model, ask, changed, theme) {
    Object.assign(this, { model, changed, theme });
    this.send = ask;
    this.selected = 0;
    this.pending = { value: 0, until: 0 };
    this.keys = {
      r: () => this.rename(),
      m: () => this.mute(),
      f: () => this.ask("freeze", !this.model.frozen),
      "+": () => this.threshold(STEP),
      "=": () => this.threshold(STEP),
      "-": () => this.threshold(1 / STEP),
      "−": () => this.threshold(1 / STEP),
      g: () => this.merge(),
      u: () => this.ask("undo", true),
      s: () => this.ask("save", true),
      e: () => this.export(),
      ".": () => by("more-dialog").showModal(),
      d: () => this.theme(),
      "?": () => by("help-dialog").showModal(),
      Backspace: () => this.reset(),
      ArrowUp: () => this.step(-1),
      ArrowDown: () => this.step(1),
    };
    this.listen();
  }

  listen() {
    const on = { rename: "r", mute: "m", freeze: "f", lower: "-", higher: "+", theme: "d" };
    for (const [id, key] of Object.entries(on)) by(id).addEventListener("click", this.keys[key]);
    by("help").addEventListener("click", this.keys["?"]);
    by("reset").addEventListener("click", this.keys.Backspace);
    by("record").addEventListener("click", () => this.record());
    by("more").addEventListener("click", this.keys["."]);
    const further = { merge: "g", undo: "u", save: "s", export: "e" };
    for (const [id, key] of Object.entries(further)) {
      by(id).addEventListener("click", () => setTimeout(this.keys[key])); // when the list has closed
    }
    by("rename-dialog").addEventListener("submit", () => this.renamed());
    by("reset-dialog").addEventListener("submit", () => this.ask("reset", true));
    for (const question of ["rename", "reset"]) {
      by(`${question}-cancel`).addEventListener("click", () => by(`${question}-dialog`).close());
    }
    document.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    let act = this.keys[event.key] ?? this.keys[event.key.toLowerCase()];
    if (event.key.toLowerCase() === "r" && event.shiftKey) act = () => this.record();
    if (/^[1-9]$/.test(event.key)) act = () => this.select(this.model.lanes()[event.key - 1]);
    if (!act || (event.repeat && !"+=-−".includes(event.key))) return;
    event.preventDefault();
    act();
  }

  ask(what, value) {
    if (!this.send(what, value)) notice("Not connected: nothing was changed.");
  }

  select(class_) {
    if (class_ === undefined) return;
    this.selected = class_;
    this.changed();
  }

  step(by_) {
    const lanes = this.model.lanes();
    const at = lanes.indexOf(this.selected) + by_;
    this.select(lanes[Math.min(lanes.length - 1, Math.max(0, at))]);
  }

  // The selected class, if it is one that has a name of its own.
  get chosen() {
    return this.selected >= 0 && this.selected < this.model.names.length ? this.selected : null;
  }

  rename() {
    if (this.chosen === null) return this.noClass();
    const name = this.model.nameOf(this.chosen);
    this.renaming = this.chosen;
    by("rename-title").textContent = `Rename ${name}`;
    by("rename-input").value = name;
    by("rename-dialog").showModal();
    by("rename-input").select();
  }

  renamed() {
    const name = by("rename-input").value.trim();
    if (name === this.model.nameOf(this.renaming)) return;
    if (name) this.ask("rename", { class: this.renaming, name });
    else notice("Expected a name, got nothing.");
  }

  // Which class the selected one is to be one with.
  merge() {
    if (this.chosen === null) return this.noClass();
    const { model } = this;
    const from = this.chosen;
    const others = model.lanes().filter((class_) => class_ >= 0 && class_ !== from);
    if (!others.length) return notice("There is no other class to merge it with.");
    by("merge-title").textContent = `Merge ${model.nameOf(from)} with`;
    by("merge-list").replaceChildren(
      ...others.map((into) => {
        const button = document.createElement("button");
        button.type = "submit";
        button.textContent = model.nameOf(into);
        button.addEventListener("click", () => this.ask("merge", { class: from, into }));
        return button;
      }),
    );
    by("merge-dialog").showModal();
  }

  // Links to what the server makes of the last recording.
  export() {
    const { recorded, page } = this.model;
    if (!recorded) return notice("Nothing has been recorded yet: record, and stop the recording.");
    by("export-of").textContent = recorded.split(/[\\/]/).pop();
    by("export-list").replaceChildren(
      ...page.exports.map((format) => {
        const link = document.createElement("a");
        link.href = `export/${format}`;
        link.download = "";
        link.textContent = format;
        link.addEventListener("click", (event) => {
          if (format === "midi" && !by("export-bpm").reportValidity()) event.preventDefault();
          link.href = `export/${format}${this.choices(format)}`;
        });
        return link;
      }),
    );
    by("export-dialog").showModal();
  }

  // As `rtcluster export` takes them.
  choices(format) {
    if (format === "midi") return `?bpm=${by("export-bpm").value || "auto"}`;
    return format === "clicks.wav" && by("export-mix").checked ? "?mix=1" : "";
  }

  mute() {
    if (this.chosen === null) return this.noClass();
    const muted = !this.model.muted.has(this.chosen);
    this.ask("mute", { class: this.chosen, muted });
  }

  noClass() {
    const learning = !this.model.names.length;
    notice(learning ? "There are no classes yet: play." : "Select a class: press its number.");
  }

  threshold(factor) {
    const { status } = this.model;
    if (!status) return;
    const now = performance.now();
    const from = now < this.pending.until ? this.pending.value : status.threshold;
    const [low, high] = LIMITS;
    const value = Number(Math.min(high, Math.max(low, from * factor)).toPrecision(4));
    this.pending = { value, until: now + PENDING_MS };
    this.ask("threshold", value);
    by("threshold-value").textContent = value.toPrecision(2);
  }

  record() {
    this.ask("record", !this.model.status?.recording);
  }

  reset() {
    by("reset-dialog").showModal();
  }

  show() {
    const { model } = this;
    if (model.names.length && !model.lanes().includes(this.selected)) this.selected = 0;
    const name = this.chosen === null ? "" : model.nameOf(this.chosen);
    const muted = this.chosen !== null && model.muted.has(this.chosen);
    const recording = Boolean(model.status?.recording);
    const said = [name, muted, model.frozen, recording].join("\n");
    if (said === this.said) return;
    this.said = said;
    for (const span of document.querySelectorAll("#controls .of")) span.textContent = name;
    document.querySelector("#mute .does").textContent = muted ? "Unmute" : "Mute";
    by("mute").setAttribute("aria-pressed", String(muted));
    by("freeze").textContent = model.frozen ? "Thaw" : "Freeze";
    by("freeze").setAttribute("aria-pressed", String(model.frozen));
    document.querySelector("#record .does").textContent = recording ? "Stop" : "Record";
    document.querySelector("#record .more").textContent = recording ? " recording" : "";
    by("record").setAttribute("aria-pressed", String(recording));
  }
}

