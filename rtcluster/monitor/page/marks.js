// How a class looks: the palette's colour and the outline of its marker, about the origin.

const paths = new Map();
let palette = { colours: [""], outlines: [""], none: ["", ""] };

// The one of rtcluster/pages/palette.py, which the server sends first.
export function usePalette(page) {
  palette = page;
}

// The colour and outline of a class; of hits without one below 0.
export function mark(class_) {
  const { colours, outlines, none } = palette;
  if (class_ < 0) return { colour: none[0], outline: none[1] };
  return { colour: colours[class_ % colours.length], outline: outlines[class_ % outlines.length] };
}

// Draw a mark of a radius in CSS pixels; hollow leaves the ground to be seen.
export function draw(context, class_, x, y, radius, ink, hollow = false) {
  const { colour, outline } = mark(class_);
  let path = paths.get(outline);
  if (path === undefined) paths.set(outline, (path = new Path2D(outline)));
  context.save();
  context.translate(x, y);
  context.scale(radius, radius);
  context.lineJoin = "round";
  if (hollow) {
    context.strokeStyle = colour;
    context.lineWidth = Math.max(2.5, radius * 0.2) / radius;
  } else {
    context.fillStyle = colour;
    context.fill(path);
    context.strokeStyle = ink;
    context.lineWidth = 1.25 / radius;
  }
  context.stroke(path);
  context.restore();
}
