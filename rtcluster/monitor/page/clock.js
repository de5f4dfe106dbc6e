// The engine's clock, in seconds of its audio, as this page's own clock tells it between two
// statuses. A status that was long on the way says too little, so the clock follows the ones that
// say the most, and forgets them slowly, because two clocks never run alike.

const FORGET_S_PER_S = 0.002;
const JUMP_S = 0.5;
const STALE_S = 1.0;

export class Clock {
  constructor() {
    this.clear();
  }

  clear() {
    this.offset = null;
    this.heard = -Infinity; // when the last status came
    this.stopped = 0;
  }

  // A status says that it is `seconds` now.
  hear(seconds, now = performance.now() / 1e3) {
    const offset = seconds - now;
    const behind = this.offset === null ? Infinity : Math.abs(offset - this.offset);
    const forgot = FORGET_S_PER_S * Math.max(0, now - this.heard);
    this.offset = behind > JUMP_S ? offset : Math.max(offset, this.offset - forgot);
    this.heard = now;
    this.stopped = seconds;
  }

  // A hit cannot be later than now.
  atLeast(seconds, now = performance.now() / 1e3) {
    if (this.offset === null || seconds - now > this.offset) this.offset = seconds - now;
    this.stopped = Math.max(this.stopped, seconds);
  }

  get runs() {
    return performance.now() / 1e3 - this.heard < STALE_S;
  }

  now() {
    return this.runs ? performance.now() / 1e3 + this.offset : this.stopped;
  }
}
