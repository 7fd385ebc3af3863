// What is known so far.

const percent = (share) => `${(100 * share).toFixed(1)} %`;

export const Facts = {
  props: ["state", "view"],
  template: `
    <section class="facts" aria-label="What is known so far">
      <dl>
        <div><dt>Labeled</dt><dd>{{ view.labeled - view.unknown }}</dd></div>
        <div><dt>Cannot tell</dt><dd>{{ view.unknown }}</dd></div>
        <div><dt>Asked now</dt><dd>{{ view.left }}</dd></div>
        <div><dt>A minute</dt><dd>{{ state.pace === null ? "–" : Math.round(state.pace) }}</dd></div>
      </dl>
      <div v-if="last" class="accuracy">
        <p><strong>{{ percent(last.accuracy) }}</strong> accuracy, 95 % interval {{ percent(last.low) }} to
          {{ percent(last.high) }}</p>
        <svg v-if="state.curve.length > 1" viewBox="0 0 300 90" role="img" :aria-label="words" preserveAspectRatio="none">
          <path :d="band" class="band" /><path :d="line" class="line" />
        </svg>
        <p class="quiet" v-if="state.curve.length > 1">from {{ state.curve[0].annotations }} to {{ last.annotations }} labels,
          {{ Math.round(100 * range[0]) }} to {{ Math.round(100 * range[1]) }} %</p>
        <p class="quiet">on {{ last.images }} pictures of the audit set, which no model was trained on</p>
      </div>
      <p v-else class="quiet">No accuracy yet: {{ why }}</p>
      <p v-if="view.audit.size && view.audit.labeled < view.audit.size" class="quiet">
        Audit set: {{ view.audit.labeled }} of {{ view.audit.size }} labeled</p>
      <p v-if="state.forecast">{{ state.forecast }}</p>
      <a class="button" href="/labels.csv" download="labels.csv">Download labels.csv</a>
    </section>`,
  computed: {
    last() {
      return this.state.curve.at(-1);
    },
    why() {
      if (!this.view.audit.size) return "without an audit set it would be a guess.";
      return "it is measured on the audit set once a model is trained.";
    },
    words() {
      return this.state.curve.map((one) => `${one.annotations} labels: ${percent(one.accuracy)}`).join(", ");
    },
    // What the curve's height stands for, in whole tenths.
    range() {
      const low = Math.min(...this.state.curve.map((one) => one.low));
      const high = Math.max(...this.state.curve.map((one) => one.high));
      return [Math.floor(10 * low) / 10, Math.ceil(10 * high) / 10];
    },
    points() {
      const last = this.last.annotations;
      const first = this.state.curve[0].annotations;
      const x = (one) => (300 * (one.annotations - first)) / Math.max(1, last - first);
      const [low, high] = this.range;
      const y = (share) => 88 - (86 * (share - low)) / (high - low);
      return this.state.curve.map((one) => ({ x: x(one), low: y(one.low), mid: y(one.accuracy), high: y(one.high) }));
    },
    line() {
      return `M${this.points.map((one) => `${one.x},${one.mid}`).join("L")}`;
    },
    band() {
      const upper = this.points.map((one) => `${one.x},${one.high}`);
      const lower = this.points.map((one) => `${one.x},${one.low}`).reverse();
      return `M${[...upper, ...lower].join("L")}Z`;
    },
  },
  methods: { percent },
};

export const Help = {
  props: ["mode"],
  emits: ["close"],
  template: `
    <div class="veil" @click.self="$emit('close')">
      <div class="help" role="dialog" aria-modal="true" aria-label="Keys">
        <h2>Keys</h2>
        <template v-for="[title, rows] in sections" :key="title">
          <h3>{{ title }}</h3>
          <dl>
            <div v-for="[key, what] in rows" :key="key"><dt><kbd>{{ key }}</kbd></dt><dd>{{ what }}</dd></div>
          </dl>
        </template>
        <button type="button" ref="close" class="primary" @click="$emit('close')">Close</button>
      </div>
    </div>`,
  mounted() {
    this.$refs.close.focus({ preventScroll: true });
  },
  data: () => ({
    sections: [
      ["One by one", [
        ["1–9, letters", "this class, and on to the next picture"],
        ["0", "cannot tell"],
        ["→", "look again later, after the others"],
        ["Backspace", "take the last answer back, any number of times"],
        ["Space", "the whole picture, to look at closely (+ and −, drag)"],
        ["↓", "show what the model takes it for (hidden, for it biases)"],
      ]],
      ["Grid", [
        ["click, Space", "mark a picture as wrong"],
        ["Enter", "confirm all others that were on the screen"],
        ["1–9, letters", "give the marked ones this class"],
        ["Backspace", "take the last page back"],
      ]],
      ["Look again", [
        ["Enter", "keep the answer"],
        ["1–9, letters", "this class instead"],
        ["→", "skip it for now"],
      ]],
      ["Everywhere", [["/", "find one of many classes by its name, Enter gives the first"], ["?", "these keys"], ["Esc", "close"]]],
    ],
  }),
};
