// Whether the page is up to date, and what the session is doing.

import { elapsed } from "./figures.js";

const by = (id) => document.getElementById(id);

export class State {
  constructor() {
    this.up = false;
    this.was = false;
    this.ended = false;
    this.said = "";
  }

  show(model, clock) {
    this.was ||= this.up;
    const [state, text] = this.words(model, clock);
    const { summary, session, status } = model;
    const source = session ? `${session.source}, ${session.samplerate / 1000} kHz` : "";
    const recording = (status?.recording ?? "").split(/[\\/]/).pop(); // of a folder, its own name
    const said = [state, text, source, recording, Boolean(summary)].join("\n");
    if (said === this.said) return;
    this.said = said;
    document.body.dataset.state = state;
    by("state-text").textContent = text;
    by("source").textContent = source;
    by("recording").hidden = !recording;
    by("recording-text").textContent = `recording ${recording}`;
    by("summary").hidden = !summary;
    if (summary) by("summary").textContent = summed(summary);
  }

  words(model, clock) {
    if (!this.up && this.ended) return ["ended", "rtcluster has ended"];
    if (!this.up) return this.was ? ["lost", "reconnecting"] : ["connecting", "connecting"];
    if (model.summary) return ["over", "session over"];
    if (!model.session) return ["waiting", "waiting for a session"];
    if (!clock.runs) return ["waiting", "no sound comes in"];
    if (model.frozen) return ["live", "live, learning frozen"];
    return ["live", "live"];
  }
}

function summed(summary) {
  const classes = Object.entries(summary.classes).map(([name, n]) => `${n} ${name}`);
  const times = summary.xruns === 1 ? "time" : "times";
  const lost = summary.xruns ? `; audio lost ${summary.xruns} ${times}` : "";
  const hits = `${summary.hits} ${summary.hits === 1 ? "hit" : "hits"}`;
  return `${hits} in ${elapsed(summary.seconds)}: ${classes.join(", ") || "no classes"}${lost}`;
}
