// A canvas that is as sharp as the screen, and the colours of the theme for drawing on it.

const FINEST = 2; // canvas pixels for a CSS pixel: more is not seen, and costs

export class Sheet {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.width = this.height = 0;
    new ResizeObserver(() => {
      this.fit();
      changed();
    }).observe(canvas);
  }

  fit() {
    const scale = Math.min(FINEST, window.devicePixelRatio || 1);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * scale);
    this.canvas.height = Math.round(this.height * scale);
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
  }

  clear() {
    this.context.clearRect(0, 0, this.width, this.height);
    return this.context;
  }
}

const NAMES = ["ink", "dim", "line", "band", "panel", "alarm"];

export function themeColours() {
  const style = getComputedStyle(document.documentElement);
  const colours = { font: getComputedStyle(document.body).fontFamily };
  for (const name of NAMES) colours[name] = style.getPropertyValue(`--${name}`).trim();
  return colours;
}
