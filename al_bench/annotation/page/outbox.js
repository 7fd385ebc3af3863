// What a person did and the page's process has not yet said to be on the disk. It outlives the window: until then it is
// in the browser's storage, and is sent again; the process keeps each once.
import { reactive } from "vue";

const AGAIN = 1000; // milliseconds
const MOST = 500;

export class Outbox {
  constructor(onState, onRefused) {
    this.onState = onState;
    this.onRefused = onRefused;
    this.most = MOST;
    this.seen = reactive({ pending: [], problem: null });
    this.last = 0;
    this.offset = 0; // of the process's clock to this one, milliseconds
    this.sending = false;
  }

  get pending() {
    return this.seen.pending;
  }

  // From now on for this run; what an earlier window left is sent.
  open(run) {
    if (this.place) return;
    this.run = run;
    this.place = `al_bench/${run}/pending`;
    try {
      this.seen.pending.unshift(...JSON.parse(localStorage.getItem(this.place) ?? "[]"));
    } catch {
      // nothing was stored
    }
    this.send();
  }

  // A moment, later than any that was given before: it tells operations apart.
  moment() {
    this.last = Math.max(Date.now() + this.offset, this.last + 1);
    return new Date(this.last).toISOString();
  }

  push(...operations) {
    this.seen.pending.push(...operations);
    this.save();
    this.send();
  }

  save() {
    if (!this.place) return;
    try {
      localStorage.setItem(this.place, JSON.stringify(this.seen.pending));
    } catch {
      // a browser that stores nothing has them in this window alone
    }
  }

  async send() {
    if (this.sending || !this.place) return;
    this.sending = true;
    while (this.seen.pending.length) {
      const batch = this.seen.pending.slice(0, this.most);
      const state = await this.post(batch.map(({ of, ...operation }) => operation));
      if (state) {
        this.seen.pending.splice(0, batch.length);
        this.save();
        this.onState(state);
        this.most = MOST;
      } else if (this.refused && batch.length > 1) {
        this.most = 1; // which of them?
      } else if (this.refused && batch[0].kind === "class") {
        this.seen.pending.shift();
        this.save();
        this.onRefused(this.seen.problem);
        this.seen.problem = null;
      } else {
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
      }
    }
    this.sending = false;
  }

  async post(operations) {
    try {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`/record?run=${this.run}`, { method: "POST", headers, body: JSON.stringify({ operations }) });
      const said = await response.json();
      this.refused = response.status === 400;
      this.seen.problem = response.ok ? null : said.sentence;
      return response.ok ? said : null;
    } catch {
      this.refused = false;
      this.seen.problem = "the page's process does not answer; start it again";
      return null;
    }
  }
}
