// What a person did and the page's process has not yet said to be on the disk. It outlives the window: until then it is
// in the browser's storage, and is sent again; the process keeps each once. What it refuses for good, as an answer to a
// picture whose file is another by now, is not sent again: it is shown until the person has read it.
import { reactive } from "vue";

const AGAIN = 1000; // milliseconds
const MOST = 500;

export class Outbox {
  constructor(onState, onRefused) {
    this.onState = onState;
    this.onRefused = onRefused;
    this.most = MOST;
    this.seen = reactive({ pending: [], problem: null, refused: [], elsewhere: 0 });
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
    this.seen.pending.unshift(...stored(this.place));
    this.seen.refused.unshift(...stored(`al_bench/${run}/refused`));
    this.seen.elsewhere = others(this.place).reduce((count, place) => count + stored(place).length, 0);
    this.send();
  }

  // Forgets what was refused, which the person has read.
  dismiss() {
    this.seen.refused = [];
    this.save();
  }

  // Forgets what waits for other runs' pages.
  drop() {
    others(this.place).forEach((place) => localStorage.removeItem(place));
    this.seen.elsewhere = 0;
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
      localStorage.setItem(`al_bench/${this.run}/refused`, JSON.stringify(this.seen.refused));
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
      } else if (this.refused) {
        this.refuse(batch[0], this.seen.problem);
        this.seen.problem = null;
      } else {
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
      }
    }
    this.sending = false;
  }

  // Takes out what is refused for good, and what takes it back: that would take back the answer before it.
  refuse(gone, sentence) {
    const of = (one) => one.kind === "back" && one.position === gone.picture?.position && Date.parse(one.of) === Date.parse(gone.when);
    this.seen.pending = this.seen.pending.filter((one) => one !== gone && !of(one));
    if (gone.kind !== "class") this.seen.refused.push(sentence);
    this.save();
    this.onRefused(sentence, gone);
  }

  async post(operations) {
    try {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`/record?run=${this.run}`, { method: "POST", headers, body: JSON.stringify({ operations }) });
      const said = await response.json();
      this.refused = said.final === true;
      this.seen.problem = response.ok ? null : said.sentence;
      return response.ok ? said : null;
    } catch {
      this.refused = false;
      this.seen.problem = "the page's process does not answer; start it again";
      return null;
    }
  }
}

function stored(place) {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "[]");
  } catch {
    return []; // nothing was stored
  }
}

// Where answers wait for the pages of other runs that were at this address.
function others(own) {
  try {
    return Object.keys(localStorage).filter((place) => /^al_bench\/[0-9a-f]+\/pending$/.test(place) && place !== own);
  } catch {
    return []; // a browser that stores nothing
  }
}
