// Tempo and steadiness of the latest hits, as rtcluster.performance.live tells them.

const by = (id) => document.getElementById(id);

const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(0));

export class Playing {
  constructor() {
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
    by("verdict").textContent = playing.tempo ? verdict(playing.last) : playing.reason || "";
  }
}

// Said only of what is more than its uncertainty.
function drift({ drift: value, drift_uncertainty: doubt }) {
  if (!value || Math.abs(value) <= doubt) return "";
  return value > 0 ? " ↗ speeding up" : " ↘ slowing down";
}

function verdict(last) {
  if (!last || last.deviation === null) return "";
  if (last.verdict === "early" || last.verdict === "late") {
    return `last hit ${Math.abs(last.deviation).toFixed(0)} ms ${last.verdict}`;
  }
  return `last hit ${last.verdict}`;
}
