// The numbers, and the level: text that changes a few times a second, so that it can be read.

const TEXT_MS = 250;
const CLIP_MS = 2000;
const LOWEST_DB = -60;
const FALL_DB_PER_S = 24;

const by = (id) => document.getElementById(id);

const share = (value) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %`;

const spread = (cuts) =>
  cuts?.p50 === undefined
    ? "–"
    : `${cuts.p50.toFixed(1)} · ${cuts.p95.toFixed(1)} · ${cuts.max.toFixed(1)} ms`;

const place = (db) => Math.min(1, Math.max(0, 1 - db / LOWEST_DB));

export class Figures {
  constructor() {
    this.rms = document.querySelector("#meter .rms");
    this.peak = document.querySelector("#meter .peak");
    this.clear();
  }

  clear() {
    this.textAt = -Infinity;
    this.clippedAt = -Infinity;
    this.held = this.mean = LOWEST_DB;
    this.heldAt = 0;
    this.latest = null;
  }

  // Everything a status says may be loud: none is left out, even where not every one is drawn.
  hear(status) {
    const now = performance.now();
    const fall = (FALL_DB_PER_S * (now - this.heldAt)) / 1000;
    this.held = Math.max(status.peak_db, this.held - fall, LOWEST_DB);
    this.mean = Math.max(status.rms_db, this.mean - 2 * fall, LOWEST_DB);
    this.heldAt = now;
    if (status.clipped) this.clippedAt = now;
  }

  show(model) {
    const { status } = model;
    if (!status || status === this.latest) return;
    this.latest = status;
    const now = performance.now();
    this.rms.style.transform = `scaleX(${place(this.mean).toFixed(3)})`;
    this.peak.style.transform = `translateX(${(100 * place(this.held)).toFixed(1)}%)`;
    by("clip").dataset.on = String(now - this.clippedAt < CLIP_MS);
    if (now - this.textAt < TEXT_MS) return;
    this.textAt = now;
    by("level-text").textContent = `${Math.max(LOWEST_DB, this.held).toFixed(0)} dB`;
    by("meter").setAttribute("aria-valuenow", this.held.toFixed(0));
    by("onset-latency").textContent = spread(status.onset_latency_ms);
    by("sink-delay").textContent = spread(status.sink_delay_ms);
    const { mean, p99 } = status.callback_load ?? {};
    by("load").textContent = mean === undefined ? "–" : `${share(mean)} · p99 ${share(p99)}`;
    const lost = status.xruns;
    by("xruns").textContent = lost === 0 ? "none" : `${lost} ${lost === 1 ? "time" : "times"}`;
    by("xruns").dataset.bad = String(lost > 0);
    by("learning").textContent = learning(model);
    by("hits").textContent = String(status.hits);
    by("threshold-value").textContent = status.threshold.toPrecision(2);
    by("elapsed").textContent = elapsed(status.seconds);
  }
}

function learning(model) {
  const { heard, needed, over } = model.warmup;
  if (model.frozen) return "frozen";
  return over ? "on" : `${heard} of ${needed}`;
}

export function elapsed(seconds) {
  const whole = Math.floor(seconds);
  const pad = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const rest = `${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}
