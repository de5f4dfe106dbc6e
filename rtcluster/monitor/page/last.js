// The last hit, large: its mark, its name, how loud it was. Hollow while it is a guess.

import { mark } from "./marks.js";
import { LEARNING } from "./model.js";

const SPOKEN_MS = 1500;
const LONGEST = 0.97; // of the room that a name may take

const measure = document.createElement("canvas").getContext("2d");

export class Last {
  constructor() {
    this.section = document.querySelector("#last");
    this.svg = document.querySelector("#last-mark");
    this.path = this.svg.querySelector("path");
    this.name = document.querySelector("#last-name");
    this.note = document.querySelector("#last-note");
    this.force = document.querySelector("#last-force span");
    this.spoken = document.querySelector("#spoken");
    this.shown = "";
    this.fitted = "";
    this.spokenAt = 0;
  }

  // `fresh` hits are spoken, those of the past are not.
  show(model, fresh) {
    const hit = model.newest;
    const { class_, name, note } = this.words(model, hit);
    const said = [class_, name, note, hit?.id, hit?.final, hit?.velocity].join("\n");
    if (said === this.shown) return;
    this.shown = said;
    const { colour, outline } = mark(class_);
    this.path.setAttribute("d", outline);
    this.path.setAttribute("fill", hit && !hit.final ? "none" : colour);
    this.path.setAttribute("stroke", hit?.final ? "var(--ink)" : colour);
    this.path.setAttribute("stroke-width", hit?.final ? "0.05" : "0.2");
    this.svg.toggleAttribute("data-none", !hit);
    this.name.textContent = name;
    this.name.title = name;
    this.note.textContent = note;
    this.force.style.transform = `scaleX(${(hit?.velocity ?? 0) / 127})`;
    this.force.style.backgroundColor = colour;
    this.section.dataset.final = String(Boolean(hit?.final));
    this.fit();
    if (fresh && hit?.final && performance.now() - this.spokenAt > SPOKEN_MS) {
      this.spokenAt = performance.now();
      this.spoken.textContent = name;
    }
  }

  words(model, hit) {
    const { heard, needed, over } = model.warmup;
    if (!over && model.session) {
      return { class_: LEARNING, name: `learning ${heard} of ${needed}`, note: "play every drum" };
    }
    if (!hit) return { class_: LEARNING, name: model.session ? "play" : "–", note: "" };
    const sounds = hit.parts.map((part) => model.home(part.class));
    const otherwise = hit.final && !sounds.includes(model.home(hit.guessed));
    const revised = otherwise && model.nameOf(hit.guessed);
    return {
      class_: model.home(hit.class_),
      name: model.namesOf(hit) || "–",
      note: revised ? `taken for ${revised} at first` : `velocity ${hit.velocity}`,
    };
  }

  // As large as it fits, and never smaller than what is read from afar.
  fit() {
    const room = this.name.clientWidth;
    const key = `${this.name.textContent}\n${room}\n${window.innerHeight}`;
    if (key === this.fitted || !room) return;
    this.fitted = key;
    const style = getComputedStyle(this.name);
    const [largest, smallest] = ["--largest", "--smallest"].map((name) => {
      const probe = style.getPropertyValue(name).trim();
      return (parseFloat(probe) / 100) * window.innerHeight;
    });
    measure.font = `${style.fontWeight} 100px ${style.fontFamily}`;
    const width = measure.measureText(this.name.textContent).width || 1;
    const size = Math.min(largest, (LONGEST * 100 * room) / width);
    this.name.style.fontSize = `${Math.max(smallest, size)}px`;
  }
}
