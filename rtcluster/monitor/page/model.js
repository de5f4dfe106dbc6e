// What is known of the session, made from the lines alone. The first line of a connection, "page",
// empties it, so the same lines always make the same picture.

export const LEARNING = -1;
export const UNKNOWN = -2;

const HITS = 400;

export class Model {
  constructor() {
    this.page = null;
    this.recorded = ""; // folder of the latest recording that is whole
    this.clear(null);
  }

  clear(session) {
    this.session = session;
    this.rate = session?.samplerate ?? 44100;
    this.status = null;
    this.summary = null;
    this.names = [];
    this.muted = new Set();
    this.hits = new Map(); // by number, oldest first
    this.xruns = [];
    this.newest = null; // the hit that was last given a class
    this.unknown = false; // whether a hit was like no drum
  }

  get frozen() {
    return this.status?.frozen ?? this.session?.settings?.freeze ?? false;
  }

  get warmup() {
    const [heard, needed] = this.status?.warmup ?? [0, this.session?.warmup ?? 0];
    return { heard: Math.min(heard, needed), needed, over: this.names.length > 0 };
  }

  nameOf(class_) {
    if (class_ === UNKNOWN) return "unknown";
    return this.names[class_] ?? "";
  }

  // Classes with one name are one: the first of them stands for all.
  home(class_) {
    return class_ >= 0 && this.names[class_] ? this.names.indexOf(this.names[class_]) : class_;
  }

  // The lanes from the top: numbers of classes.
  lanes() {
    const lanes = this.names.map((_, class_) => class_).filter((c) => this.home(c) === c);
    if (!lanes.length) lanes.push(LEARNING);
    if (this.unknown) lanes.push(UNKNOWN);
    return lanes;
  }

  count(class_) {
    if (class_ === LEARNING) return this.warmup.heard;
    const counts = Object.entries(this.status?.counts ?? {});
    const own = counts.filter(([other]) => this.home(Number(other)) === class_);
    return own.reduce((sum, [, count]) => sum + count, 0);
  }

  take(line) {
    this[`on_${line.event}`]?.(line);
  }

  on_page(line) {
    this.page = line;
    this.recorded = "";
    this.clear(null);
  }

  on_session(line) {
    this.clear(line);
  }

  on_summary(line) {
    this.summary = line;
  }

  on_recorded(line) {
    this.recorded = line.folder;
  }

  on_status(line) {
    this.status = line;
    this.names = line.names;
    if (line.counts[UNKNOWN]) this.unknown = true;
  }

  on_onset(line) {
    this.hits.set(line.id, {
      id: line.id,
      sample: line.sample,
      velocity: line.velocity,
      class_: null, // not known yet
      parts: [], // the drums that sound, the strongest first: class and velocity of each
      guessed: null,
      final: false,
      at: null,
    });
    if (this.hits.size > HITS) this.hits.delete(this.hits.keys().next().value);
  }

  // The names of all drums that sound in a hit.
  namesOf(hit) {
    return [...new Set(hit.parts.map((part) => this.nameOf(part.class)))].join(" + ");
  }

  on_guess(line) {
    const hit = this.judge(line);
    if (hit) hit.guessed = line.class;
  }

  on_final(line) {
    const hit = this.judge(line);
    if (!hit) return;
    hit.final = true;
    hit.at = line.at;
  }

  on_relabel(line) {
    const hit = this.judge(line);
    if (hit) hit.guessed = line.class; // nobody had guessed otherwise
  }

  judge(line) {
    const hit = this.hits.get(line.id);
    if (!hit) return null;
    hit.class_ = line.class;
    if (line.velocity) hit.velocity = line.velocity;
    const only = { class: line.class, name: line.name, velocity: hit.velocity };
    hit.parts = line.parts?.length ? line.parts : [only];
    for (const part of hit.parts) {
      if (part.class >= 0 && part.name) this.names[part.class] = part.name;
    }
    if (line.class === UNKNOWN) this.unknown = true;
    if (!this.newest || hit.sample >= this.newest.sample) this.newest = hit;
    return hit;
  }

  on_xrun(line) {
    this.xruns.push(line.sample);
    if (this.xruns.length > 50) this.xruns.shift();
  }

  on_control(line) {
    if (line.what === "rename") this.names[line.value.class] = line.value.name;
    else if (line.what === "mute") {
      if (line.value.muted) this.muted.add(line.value.class);
      else this.muted.delete(line.value.class);
    }
  }
}
