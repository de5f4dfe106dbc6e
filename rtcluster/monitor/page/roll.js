// The lanes: hits scroll from the right, where it is now, to the left. Who wants less motion gets
// marks that stay where they are, and a line that goes from left to right over them.

import { draw } from "./marks.js";
import { LEARNING } from "./model.js";

const PIXELS_PER_S = 190;
const SECONDS = [3, 8];
const NOW_PIXELS = 14; // from the right edge to now
const LARGEST = [12, 40]; // radius of the loudest hit, in pixels: on a narrow canvas, on a wide one
const PER_WIDTH = 1 / 22;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Draws, and tells whether lost audio is to be seen.
export function drawRoll(sheet, model, now, colours, { selected, still }) {
  const { width, height } = sheet;
  if (!width || !height) return false;
  const context = sheet.clear();
  const lanes = model.lanes();
  const rows = new Map(lanes.map((class_, row) => [class_, row]));
  const rowHeight = height / lanes.length;
  const seconds = clamp(width / PIXELS_PER_S, ...SECONDS);
  const span = width - NOW_PIXELS;
  const start = still ? Math.floor(now / seconds) * seconds : now - seconds;
  const xOf = (time) => {
    if (!still) return ((time - start) / seconds) * span;
    return ((time % seconds) / seconds) * span;
  };
  const yOf = (class_) => ((rows.get(class_) ?? 0) + 0.5) * rowHeight;
  const rateless = 1 / model.rate;

  ground(context, { width, height, span, rowHeight, lanes, selected, colours, model });
  seconds_(context, { now, seconds, start, still, height, xOf, colours });

  const largest = Math.min(clamp(width * PER_WIDTH, ...LARGEST), rowHeight * 0.4);
  const radiusOf = (velocity) => Math.max(4, largest * (0.28 + 0.72 * (velocity / 127)));
  const margin = (largest * seconds) / span;
  for (const hit of model.hits.values()) {
    const time = hit.sample * rateless;
    if (hit.class_ === null || time < now - seconds - (still ? 0 : margin)) continue;
    const x = xOf(time);
    const sounds = hit.parts.map((part) => model.home(part.class));
    const guessed = hit.guessed === null ? null : model.home(hit.guessed);
    const revised = hit.final && guessed !== null && !sounds.includes(guessed);
    for (const [place, part] of hit.parts.entries()) {
      if (sounds.indexOf(sounds[place]) < place) continue; // two that were merged
      const class_ = rows.has(sounds[place]) ? sounds[place] : LEARNING;
      if (!rows.has(class_)) continue;
      const radius = radiusOf(part.velocity);
      context.globalAlpha = model.muted.has(class_) ? 0.3 : 1;
      if (revised && place === 0 && rows.has(guessed)) {
        ghost(context, [guessed, sounds[0]], x, yOf, radius, colours);
      }
      draw(context, class_, x, yOf(class_), radius, colours.ink, !hit.final);
    }
  }
  context.globalAlpha = 1;
  const anyLost = lost(context, { model, now, seconds, rateless, xOf, height, colours });
  const x = still ? xOf(now) : span;
  context.fillStyle = colours.ink;
  context.fillRect(x, 0, 2, height);
  return anyLost;
}

function ground(context, { width, height, span, rowHeight, lanes, selected, colours }) {
  lanes.forEach((class_, row) => {
    const top = row * rowHeight;
    if (class_ === selected) {
      context.fillStyle = colours.band;
      context.fillRect(0, top, width, rowHeight);
    }
    context.fillStyle = colours.line;
    context.fillRect(0, Math.round(top + rowHeight / 2), span, 1);
    if (row) {
      context.globalAlpha = 0.6;
      context.fillRect(0, Math.round(top), width, 1);
      context.globalAlpha = 1;
    }
  });
}

function seconds_(context, { now, seconds, start, still, height, xOf, colours }) {
  context.fillStyle = colours.line;
  context.globalAlpha = 0.5;
  const first = still ? Math.ceil(now - seconds) : Math.ceil(start);
  for (let time = first; time <= now; time += 1) {
    if (time >= 0) context.fillRect(Math.round(xOf(time)), 0, 1, height);
  }
  context.globalAlpha = 1;
}

// Where the guess had put it, and a line from there.
function ghost(context, [guessed, class_], x, yOf, radius, colours) {
  const from = yOf(guessed);
  const to = yOf(class_);
  context.strokeStyle = colours.dim;
  context.lineWidth = 2;
  context.setLineDash([5, 4]);
  context.beginPath();
  context.moveTo(x, from);
  context.lineTo(x, to);
  context.stroke();
  context.setLineDash([]);
  draw(context, guessed, x, from, radius * 0.8, colours.ink, true);
}

// Where audio was lost; whether any of it is to be seen.
function lost(context, { model, now, seconds, rateless, xOf, height, colours }) {
  context.fillStyle = colours.alarm;
  const times = model.xruns.map((sample) => sample * rateless).filter((t) => t > now - seconds);
  for (const time of times) context.fillRect(Math.round(xOf(time)) - 1, 0, 3, height);
  return times.length > 0;
}
