// The names of the lanes, with their counts: buttons, so that a class can be selected by hand.

import { mark } from "./marks.js";
import { LEARNING } from "./model.js";

const SVG = "http://www.w3.org/2000/svg";

export class Names {
  constructor(onSelect) {
    this.list = document.querySelector("#names");
    this.onSelect = onSelect;
    this.rows = [];
  }

  show(model, selected) {
    const lanes = model.lanes();
    if (lanes.length !== this.rows.length) {
      this.rows = lanes.map((_, row) => this.row(row));
      this.list.replaceChildren(...this.rows.map(({ item }) => item));
    }
    lanes.forEach((class_, i) => {
      const row = this.rows[i];
      const name = class_ === LEARNING ? "learning" : model.nameOf(class_);
      const muted = model.muted.has(class_);
      const count = class_ === LEARNING ? "" : String(model.count(class_));
      const said = [class_, name, muted, count, class_ === selected].join("\n");
      if (said === row.said) return;
      row.said = said;
      row.class_ = class_;
      const { colour, outline } = mark(class_);
      row.path.setAttribute("d", outline);
      row.path.setAttribute("fill", colour);
      row.name.textContent = name;
      row.button.title = name;
      row.count.textContent = count;
      row.muted.hidden = !muted;
      row.button.setAttribute("aria-pressed", String(class_ === selected));
      row.item.dataset.muted = String(muted);
    });
  }

  row(index) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "-1.15 -1.15 2.3 2.3");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    svg.append(path);
    const part = (of) => {
      const span = document.createElement("span");
      span.className = of;
      return span;
    };
    const name = part("name");
    const muted = part("muted");
    muted.textContent = "muted";
    muted.hidden = true;
    const count = part("count");
    if (index < 9) button.dataset.key = String(index + 1);
    button.append(svg, name, muted, count);
    item.append(button);
    const row = { item, button, path, name, muted, count, said: "", class_: 0 };
    button.addEventListener("click", () => this.onSelect(row.class_));
    return row;
  }
}
