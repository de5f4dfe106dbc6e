// The plane of the first two features: hits fade with age, centres stand out, the newest is ringed.

import { draw } from "./marks.js";
import { LEARNING } from "./model.js";

const SHOWN = 200;
const MARGIN = 0.1;
const AXIS = 34;
const KEPT = 0.7; // of the view has to be used, or it is drawn closer

const WORDS = { zcr: "zero crossings", energy: "energy" };

let view = null; // bounds that are shown: [low, high] of each feature

export function drawScatter(sheet, model, colours) {
  const { width, height } = sheet;
  if (!width || !height) return;
  const context = sheet.clear();
  const hits = [...model.hits.values()].filter((hit) => hit.at).slice(-SHOWN);
  const centres = model.status?.centres ?? [];
  const points = [...hits.map((hit) => hit.at), ...centres];
  axes(context, width, height, model, colours);
  if (!points.length) {
    view = null;
    return;
  }
  const wanted = [0, 1].map((axis) => bounds(points.map((point) => point[axis] ?? 0)));
  if (view === null) view = wanted;
  else settle(wanted);
  const xOf = (point) => place(point[0], view[0], AXIS, width - 14);
  const yOf = (point) => place(point[1] ?? 0, view[1], height - AXIS, 14);
  const size = Math.max(4, Math.min(width, height) / 62);

  hits.forEach((hit, i) => {
    const age = hits.length - 1 - i;
    context.globalAlpha = Math.max(0.18, 0.9 - 0.012 * age);
    const class_ = model.names.length ? model.home(hit.class_) : LEARNING;
    draw(context, class_, xOf(hit.at), yOf(hit.at), size, colours.panel);
  });
  context.globalAlpha = 1;
  centres.forEach((centre, i) => {
    const x = xOf(centre);
    const y = yOf(centre);
    draw(context, model.home(model.status.owner[i]), x, y, size * 1.9, colours.ink);
    context.fillStyle = colours.ink;
    context.fillRect(x - size * 2.6, y - 1, size * 5.2, 2);
    context.fillRect(x - 1, y - size * 2.6, 2, size * 5.2);
  });
  const last = hits.at(-1);
  if (last) {
    draw(context, model.names.length ? model.home(last.class_) : LEARNING, xOf(last.at),
      yOf(last.at), size * 1.2, colours.ink);
    context.strokeStyle = colours.ink;
    context.lineWidth = 3;
    context.beginPath();
    context.arc(xOf(last.at), yOf(last.at), size * 2.6, 0, 2 * Math.PI);
    context.stroke();
  }
}

function axes(context, width, height, model, colours) {
  const [across = "", up = ""] = model.status?.features ?? [];
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(AXIS - 8.5, 8);
  context.lineTo(AXIS - 8.5, height - AXIS + 8.5);
  context.lineTo(width - 8, height - AXIS + 8.5);
  context.stroke();
  context.fillStyle = colours.dim;
  context.font = `${Math.max(14, Math.min(20, width / 30))}px ${colours.font}`;
  context.textBaseline = "bottom";
  context.textAlign = "right";
  context.fillText(`${WORDS[across] ?? across} →`, width - 10, height - 2);
  context.save();
  context.translate(AXIS - 12, 10);
  context.rotate(-Math.PI / 2);
  context.fillText(`${WORDS[up] ?? up} →`, 0, 2);
  context.restore();
}

function bounds(values) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = MARGIN * (high - low) || 0.5 * Math.abs(high) || 1;
  return [low - room, high + room];
}

// Leave the view as it is while all is inside and most of it is used: it should stand still.
function settle(wanted) {
  wanted.forEach(([low, high], axis) => {
    const [from, to] = view[axis];
    if (low < from || high > to || high - low < KEPT * (to - from)) view[axis] = [low, high];
  });
}

const place = (value, [low, high], from, to) => from + ((value - low) / (high - low)) * (to - from);
