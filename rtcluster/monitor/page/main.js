// The page: lines come in by the link, the model takes them, and a frame draws what has changed.

import { Sheet, themeColours } from "./canvas.js";
import { Clock } from "./clock.js";
import { Controls, notice } from "./controls.js";
import { Figures } from "./figures.js";
import { Last } from "./last.js";
import { Link } from "./link.js";
import { usePalette } from "./marks.js";
import { Model } from "./model.js";
import { Names } from "./names.js";
import { Playing } from "./playing.js";
import { drawRoll } from "./roll.js";
import { drawScatter } from "./scatter.js";
import { State } from "./state.js";
import { theme } from "./theme.js";

const FRAME_MS = 1000 / 31; // a little less than the thirtieth of a second that is meant
const STILL_MS = 200;
const SCATTER_MS = 200; // nothing in it moves

// The token is in a cookie by now. Out of the address bar with it: a projector shows that.
history.replaceState(null, "", location.pathname);

const less = matchMedia("(prefers-reduced-motion: reduce)");
const model = new Model();
const clock = new Clock();
let dirty = true; // something has to be drawn, though nothing moves
let scattered = 0; // when the scatter was drawn
let drawnAt = 0;
const changed = () => {
  dirty = true;
};

const roll = new Sheet(document.querySelector("#roll"), changed);
const scatter = new Sheet(document.querySelector("#scatter"), changed);
const lost = document.querySelector("#lost");
const last = new Last();
const figures = new Figures();
const playing = new Playing();
const state = new State();
let colours = themeColours();
const { toggle } = theme(() => {
  colours = themeColours();
  changed();
});
const link = new Link(take, (up, ended) => {
  state.up = up;
  state.ended = ended || (state.ended && !up);
  changed();
});
const controls = new Controls(model, (what, value) => link.ask(what, value), changed, toggle);
const names = new Names((class_) => controls.select(class_));

function take(lines) {
  const past = lines[0]?.event === "page"; // the state so far, all at once
  for (const line of lines) {
    model.take(line);
    if (line.event === "page") usePalette(line);
    else if (line.event === "session") {
      clock.clear();
      figures.clear();
    } else if (line.event === "notice") notice(line.text);
    else if (line.event === "status") {
      clock.hear(line.seconds);
      figures.hear(line);
    } else if (line.event === "merge_offer" && !past) {
      const [first, second] = [line.first, line.second].map((class_) => model.nameOf(class_));
      notice(`${first} and ${second} sound alike; g makes them one.`);
    }
    if (line.sample !== undefined && !past) clock.atLeast(line.sample / model.rate);
  }
  last.show(model, !past);
  changed();
}

function frame(time) {
  requestAnimationFrame(frame);
  const moving = clock.runs && !model.summary;
  if (!(moving || dirty)) return;
  const wait = less.matches && !dirty ? STILL_MS : FRAME_MS;
  if (time - drawnAt < wait) return;
  drawnAt = time;
  dirty = false;
  controls.show();
  names.show(model, controls.selected);
  last.show(model, true);
  figures.show(model);
  playing.show(model);
  state.show(model, clock);
  const how = { selected: controls.selected, still: less.matches };
  lost.hidden = !drawRoll(roll, model, clock.now(), colours, how);
  if (time - scattered < SCATTER_MS && moving) return;
  scattered = time;
  drawScatter(scatter, model, colours);
}

addEventListener("resize", () => {
  last.fit();
  changed();
});
setInterval(changed, 1000); // what only time changes: the state of the link, the clip light
requestAnimationFrame(frame);
