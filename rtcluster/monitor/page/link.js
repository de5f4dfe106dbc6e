// The socket to the server, which comes back by itself.

const FIRST_MS = 200;
const SLOWEST_MS = 5000;
const TOLD = [1001, 1012]; // it was told to leave: nothing comes back at once

export class Link {
  constructor(onLines, onChange) {
    this.onLines = onLines;
    this.onChange = onChange;
    this.socket = null;
    this.delay = FIRST_MS;
    this.timer = 0;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.timer) this.open(); // somebody looks again: at once
    });
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.timer = 0;
    const socket = new WebSocket(`ws://${location.host}/live`);
    this.socket = socket;
    this.known = false; // whether the present state has come
    socket.onmessage = ({ data }) => {
      if (!this.known) this.onChange(true, false);
      this.known = true;
      this.delay = FIRST_MS;
      this.onLines(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      const ended = TOLD.includes(code);
      if (ended) this.delay = SLOWEST_MS;
      this.onChange(false, ended);
      this.timer = setTimeout(() => this.open(), this.delay);
      this.delay = Math.min(SLOWEST_MS, this.delay * 1.7);
    };
  }

  get up() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  ask(what, value) {
    if (this.up) this.socket.send(JSON.stringify({ what, value }));
    return this.up;
  }
}
