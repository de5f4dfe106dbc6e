// How a class looks: the palette's colour and the outline of its marker, about the origin.

const polygon = (n, turn = 0, inner = null) => {
  const points = [];
  const steps = inner === null ? n : 2 * n;
  for (let i = 0; i < steps; i += 1) {
    const radius = inner !== null && i % 2 ? inner : 1;
    const angle = -Math.PI / 2 + turn + (2 * Math.PI * i) / steps;
    points.push(`${(radius * Math.cos(angle)).toFixed(3)} ${(radius * Math.sin(angle)).toFixed(3)}`);
  }
  return `M${points.join("L")}Z`;
};

const PLUS = "M-.33-1H.33V-.33H1V.33H.33V1H-.33V.33H-1V-.33H-.33Z";
const CROSS = "M0-.42L.55-.97.97-.55.42 0 .97.55.55.97 0 .42-.55.97-.97.55-.42 0-.97-.55-.55-.97Z";

// By matplotlib's letters, which the palette speaks.
const OUTLINES = {
  o: "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
  s: "M-.86-.86H.86V.86H-.86Z",
  "^": polygon(3),
  v: polygon(3, Math.PI),
  "<": polygon(3, -Math.PI / 2),
  ">": polygon(3, Math.PI / 2),
  D: polygon(4),
  P: PLUS,
  X: CROSS,
  p: polygon(5),
  h: polygon(6),
  "*": polygon(5, 0, 0.45),
  x: CROSS,
};

const paths = new Map();
let palette = { colours: ["#8C8C8C"], markers: ["o"], none: ["#8C8C8C", "x"] };

export function usePalette(page) {
  palette = page;
}

// The colour and outline of a class; of hits without one below 0.
export function mark(class_) {
  const [colour, marker] =
    class_ < 0
      ? palette.none
      : [
          palette.colours[class_ % palette.colours.length],
          palette.markers[class_ % palette.markers.length],
        ];
  return { colour, outline: OUTLINES[marker] ?? OUTLINES.o };
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
