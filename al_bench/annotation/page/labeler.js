// The page where a person labels. It shows what the process asks, and holds what was answered until that is on the disk.
import { Classes } from "labeling/classes.js";
import { Facts, Help } from "labeling/facts.js";
import { Grid } from "labeling/grid.js";
import { keyboard } from "labeling/keyboard.js";
import { Outbox } from "labeling/outbox.js";
import { Pictures } from "labeling/pictures.js";
import { Stage, Zoom } from "labeling/stage.js";
import { template } from "labeling/template.js";
import { fold } from "labeling/view.js";

const AHEAD = 12; // pictures that are loaded before they are shown
const BEHIND = 3;
const THEMES = { auto: "light", light: "dark", dark: "auto" };
const MODES = { label: "One by one", grid: "Grid", looks: "Look again" };

export default {
  components: { Classes, Facts, Grid, Help, Stage, Zoom },
  mixins: [keyboard],
  emits: ["claim"],
  template,

  data() {
    return {
      state: null, seated: true, mode: sessionStorage.mode ?? "label", held: null, shown: null, shownAt: 0,
      guessed: new Set(), told: new Set(), skipped: new Set(), refused: new Set(), zoomed: null, help: false, words: "", flashed: null,
      trouble: null, theme: localStorage.theme ?? "auto", modes: MODES, themes: THEMES,
    };
  },
  beforeCreate() {
    this.pictures = new Pictures();
    this.outbox = new Outbox((state) => this.take(state), (sentence, gone) => this.refuse(sentence, gone));
  },
  created() {
    this.fetch();
  },

  computed: {
    view() {
      return fold(this.state, this.outbox.pending);
    },
    queue() {
      if (this.mode === "looks") return this.view.looks.filter(({ position }) => !this.skipped.has(position));
      return this.view.queue;
    },
    // The picture on the screen stays there until the person acts, whatever is asked meanwhile.
    current() {
      const held = this.held && (this.queue.find((one) => one.position === this.held.position) ?? this.kept);
      return held || this.queue[0] || null;
    },
    kept() {
      if (this.mode === "looks") return this.held; // it has an answer, and is let go once it has another
      return this.mode === "label" && !this.answered.has(this.held.position) ? this.held : null;
    },
    answered() {
      return new Set(this.view.history.map((one) => one.picture.position));
    },
    ahead() {
      if (!this.state) return "";
      const next = this.queue.filter(({ position }) => position !== this.current?.position).slice(0, AHEAD);
      const last = this.view.history.slice(0, BEHIND).map((one) => one.picture);
      const all = [...(this.current ? [this.current] : []), ...next.slice(0, 4), ...last, ...next.slice(4)];
      return [...new Set(all.map((one) => one.position))].join();
    },
    guess() {
      if (this.mode === "looks") return this.current && `The model says ${this.current.guess} (${percent(this.current.guess_probability)}); you said ${this.current.answer}, which it gives ${percent(this.current.probability)}.`;
      if (!this.guessed.has(this.current?.position)) return null;
      if (this.current.audit) return "No guess for a picture of the audit set: it would lean the number to the model.";
      if (!this.current.guess) return "No model has looked at this picture yet.";
      return `The model says ${this.current.guess} (${percent(this.current.probability)}).`;
    },
    unsaved() {
      return this.outbox.seen.problem !== null && this.outbox.pending.length > 0;
    },
    done() {
      return this.view.labeled / Math.max(1, this.view.labeled + this.view.left);
    },
    alive() {
      return this.state.alive || this.state.state === "finished";
    },
    nothing() {
      if (this.mode === "looks") return "No answer to look at again.";
      return this.state.alive && this.state.state !== "finished" ? "Nothing to label right now. The next pictures appear here by themselves." : "Nothing to label.";
    },
  },
  watch: {
    ahead: { handler: "load", flush: "sync" },
    mode(mode) {
      sessionStorage.mode = mode;
      this.release();
      this.load();
    },
    theme: {
      immediate: true,
      handler(theme) {
        localStorage.theme = theme;
        document.documentElement.dataset.theme = theme;
      },
    },
  },

  methods: {
    // Called by the process: something is different in the run's folder.
    look(version) {
      if (!this.state || version > this.state.version) this.fetch();
    },
    // Called by the process: whether this window labels.
    seat(mine) {
      this.seated = mine;
      if (mine) this.fetch();
      else this.closeZoom();
    },
    async fetch() {
      try {
        const response = await fetch("/state");
        const state = await response.json();
        if (response.ok) this.take(state);
        else this.trouble = state.sentence;
      } catch {
        this.trouble = "The page's process does not answer.";
      }
    },
    take(state) {
      if (this.state && state.run !== this.state.run) return location.reload(); // another run's page is here now
      if (state.process === this.state?.process && state.version < this.state.version) return;
      this.outbox.offset = Date.parse(state.now) - Date.now();
      const first = this.state === null;
      this.state = state;
      if (first) this.outbox.open(state.run);
      this.load();
    },
    load() {
      this.pictures.want(this.mode === "grid" || !this.ahead ? [] : this.ahead.split(",").map(Number));
    },
    painted(position) {
      this.shown = position;
      this.shownAt = performance.now();
      this.held = this.current;
    },
    turn(mode) {
      this.mode = mode;
      this.skipped = new Set();
    },
    // What was `shown` still is on the screen until another picture is.
    release() {
      this.held = null;
    },
    say(words) {
      this.words = words;
    },
    // What was refused for good is asked again, with the picture as it is now.
    refuse(sentence, { picture }) {
      this.say(sentence);
      if (!picture) return;
      if (this.shown === picture.position) this.shown = null;
      this.pictures.renew(picture.position);
    },

    // Whether the picture was on the screen when a key or button was pressed: or it was meant for another one.
    isSeen(event) {
      const hidden = this.zoomed && this.zoomed.position !== this.current?.position;
      if (this.current && !hidden && this.shown === this.current.position && event.timeStamp >= this.shownAt) return true;
      if (this.current) this.say("Too early: that picture was not on the screen yet.");
      return false;
    },
    press(label, event) {
      if (this.mode === "grid") return this.$refs.grid.giveMarked(label);
      if (!this.isSeen(event)) return;
      const { position } = this.current;
      const loaded = this.pictures.get(position);
      if (loaded.state !== "ready" && label !== null) return this.say("Nobody can see this picture: cannot tell (0), or later (→).");
      this.give([{
        picture: asked(this.current), label, content: loaded.digest ?? null,
        seconds: Math.max(0, event.timeStamp - this.shownAt) / 1000,
        guess_shown: this.mode === "looks" || this.told.has(position),
      }]);
    },
    // Keeps answers, all in one request, and goes on.
    give(answers) {
      const when = this.outbox.moment();
      this.release();
      answers.forEach(({ picture }) => this.guessed.delete(picture.position));
      this.outbox.push(...answers.map((one) => ({ kind: "answer", when, ...one, picture: asked(one.picture) })));
      const [{ label, picture }] = answers;
      this.flash(label);
      this.say(answers.length > 1 ? `${answers.length} pictures: ${label}` : `${label ?? "cannot tell"}: ${picture.file}`);
    },
    keep(event) {
      this.press(this.current.answer, event);
    },
    later(event) {
      if (!this.isSeen(event)) return;
      const picture = this.current;
      this.release();
      if (this.mode === "looks") this.skipped.add(picture.position);
      else this.outbox.push({ kind: "later", when: this.outbox.moment(), picture: asked(picture) });
      this.say(`later: ${picture.file}`);
    },
    takeBack() {
      const [last] = this.view.history;
      if (!last) return this.say("No answer to take back.");
      const gone = this.mode === "grid" ? this.view.history.filter((one) => Date.parse(one.when) === Date.parse(last.when)) : [last];
      const back = gone.map((one) => ({ kind: "back", when: this.outbox.moment(), position: one.picture.position, of: one.when }));
      this.release();
      this.outbox.push(...back);
      if (this.mode === "label" && !last.again) this.held = last.picture;
      this.say(`taken back: ${last.label ?? "cannot tell"}, ${gone.length > 1 ? `${gone.length} pictures` : last.picture.file}`);
    },
    nameClass(name, key) {
      const small = key?.toLowerCase() ?? null;
      if (small !== null && "0? /".includes(small)) return this.say(`The key ${small} is the page's own: choose another.`);
      this.outbox.push({ kind: "class", when: this.outbox.moment(), name, key: small });
      this.say(small ? `${name}: key ${small}` : `${name} is a class now`);
    },
    showGuess() {
      if (!this.current) return;
      const { position, guess } = this.current;
      if (!this.guessed.delete(position)) this.guessed.add(position);
      if (guess) this.told.add(position);
    },
    openZoom() {
      if (!this.current || this.shown !== this.current.position) return;
      this.zoomed = this.current;
      this.pictures.want([this.zoomed.position], "whole");
    },
    closeZoom() {
      this.zoomed = null;
      this.pictures.want([], "whole");
    },
    flash(label) {
      this.flashed = null;
      requestAnimationFrame(() => (this.flashed = label));
    },
  },
};

function percent(share) {
  return `${Math.round(100 * share)} %`;
}

// A picture as it was asked, of a second look too.
function asked({ position, file, audit = false, asked_by = null, guess = null, probability = null, answer }) {
  return answer === undefined ? { position, file, audit, asked_by, guess, probability } : { position, file };
}
