// Tempo, early and late, and steadiness of the latest hits, as rtcluster.performance.live tells them.

const END_MS = 40; // the needle's ends
const ON_THE_BEAT = ["early", "late", "on time"];

const by = (id) => document.getElementById(id);

const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(0));

export class Playing {
  constructor() {
    this.needle = by("needle");
    this.hand = document.querySelector("#needle .hand");
    this.doubt = document.querySelector("#needle .doubt");
    this.said = "";
  }

  show(model) {
    const playing = model.status?.playing ?? {};
    const said = JSON.stringify(playing);
    if (said === this.said) return;
    this.said = said;
    const doubt = playing.tempo_uncertainty;
    const steady = playing.steadiness?.all;
    by("tempo-value").textContent = number(playing.tempo);
    by("tempo-by").textContent = doubt ? ` ± ${doubt.toFixed(doubt < 10 ? 1 : 0)}` : "";
    by("drift").textContent = drift(playing);
    by("steady-value").textContent = steady === undefined ? "–" : steady.toFixed(steady < 10 ? 1 : 0);
    this.late(playing);
  }

  // The last hit against the beat: how many ms, and a bar from the middle to it.
  late(playing) {
    const last = playing.tempo ? playing.last : null;
    const known = Boolean(last) && last.deviation !== null && ON_THE_BEAT.includes(last.verdict);
    const off = known ? last.deviation : 0;
    by("late-value").textContent = known ? number(Math.abs(off)) : "–";
    by("verdict").textContent = verdict(playing, last, known);
    this.needle.dataset.known = String(known);
    this.needle.dataset.verdict = known ? last.verdict : "";
    this.needle.setAttribute("aria-valuenow", off.toFixed(0));
    this.needle.setAttribute("aria-valuetext", by("verdict").textContent || "not known");
    this.hand.style.left = `${Math.min(50, place(off))}%`;
    this.hand.style.right = `${100 - Math.max(50, place(off))}%`;
    const half = known ? Math.min(END_MS, last.uncertainty ?? 0) : 0;
    this.doubt.style.left = `${place(-half)}%`;
    this.doubt.style.right = `${100 - place(half)}%`;
  }
}

// Where on the needle so many ms are, in percent.
const place = (ms) => 50 + (50 * Math.min(END_MS, Math.max(-END_MS, ms))) / END_MS;

// Said only of what is more than its uncertainty.
function drift({ drift: value, drift_uncertainty: doubt }) {
  if (!value || Math.abs(value) <= doubt) return "";
  return value > 0 ? " ↗ speeding up" : " ↘ slowing down";
}

function verdict(playing, last, known) {
  if (!playing.tempo) return playing.reason || "";
  if (!last) return "";
  if (!known) return "off the grid";
  return last.verdict === "on time" ? "ms, on time" : `ms ${last.verdict}`;
}
