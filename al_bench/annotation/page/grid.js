// Pictures that the model takes for one class, to confirm together.

export const Grid = {
  props: ["version", "groups", "pictures", "answered", "refused", "words"],
  emits: ["give", "back", "say"],
  template: `
    <section class="grid" aria-label="Grid">
      <nav class="groups" aria-label="Predicted class">
        <button v-for="one in groups" :key="one.name" type="button" :aria-pressed="one.name === group"
          @click="choose(one.name)">{{ one.name }} <span class="count">{{ one.count }}</span></button>
      </nav>
      <p v-if="!groups.length" class="placeholder quiet">Nothing to confirm: the model has taken no picture that is asked
        for now to be anything yet.</p>
      <p v-else-if="loaded && !page.length" class="placeholder quiet">Nothing more of this class; what was marked is asked
        one by one.</p>
      <div class="tiles" role="group" :aria-label="'Taken for ' + group">
        <button v-for="tile in page" :key="tile.position" type="button" class="tile" :data-position="tile.position"
          :class="{ wrong: marked.has(tile.position) }" :aria-pressed="marked.has(tile.position)"
          :aria-label="tile.file + ', ' + group + ', ' + percent(tile) + (marked.has(tile.position) ? ', marked as wrong' : '')"
          @click="mark(tile.position)">
          <img v-if="one(tile).state === 'ready'" :src="one(tile).url" alt="" draggable="false">
          <span v-else class="quiet">{{ one(tile).sentence ?? "" }}</span>
          <span class="sure">{{ percent(tile) }}</span>
        </button>
      </div>
      <div class="grid-bar">
        <p aria-live="polite"><template v-if="page.length"><strong>{{ group }}</strong>? {{ marked.size ? marked.size +
          " marked: a class gives them that class" : "Mark the wrong ones." }}</template>
          <span class="quiet">{{ words }}</span></p>
        <button type="button" @click="$emit('back')" aria-label="Take the last page back"><kbd>⌫</kbd></button>
        <button type="button" class="primary" :disabled="!right.length" @click="confirm">
          Confirm {{ right.length }} <kbd>⏎</kbd></button>
      </div>
    </section>`,
  data: () => ({ group: null, tiles: [], marked: new Set(), seen: new Set(), loaded: false, shownAt: 0 }),
  created() {
    this.size = window.innerWidth < 700 ? 24 : 48;
    this.watcher = new IntersectionObserver((entries) => this.notice(entries), { threshold: 0.6, rootMargin: "0px 0px -64px 0px" });
    this.choose(this.groups[0]?.name);
  },
  unmounted() {
    this.watcher.disconnect();
    this.pictures.want([], "tile");
  },
  computed: {
    page() {
      const open = this.tiles.filter(({ position }) => !this.answered.has(position) && !this.refused.has(position));
      return open.slice(0, this.size);
    },
    right() {
      return this.page.filter((tile) => this.seen.has(tile.position) && !this.marked.has(tile.position));
    },
  },
  watch: {
    page: {
      flush: "post",
      handler(page) {
        this.pictures.want(page.map((tile) => tile.position), "tile");
        this.watcher.disconnect();
        this.$el.querySelectorAll?.(".tile").forEach((tile) => this.watcher.observe(tile));
      },
    },
    version() {
      if (this.group) this.fetch();
      else this.choose(this.groups[0]?.name);
    },
  },
  methods: {
    one(tile) {
      return this.pictures.get(tile.position, "tile");
    },
    percent(tile) {
      return `${Math.round(100 * tile.probability)} %`;
    },
    async choose(name) {
      this.group = name ?? null;
      this.tiles = []; // of another class, which a key would give this one
      this.loaded = false;
      this.marked = new Set();
      this.seen = new Set();
      this.shownAt = performance.now();
      if (name) await this.fetch();
    },
    async fetch() {
      const group = this.group;
      const response = await fetch(`/grid?guess=${encodeURIComponent(group)}`).catch(() => null);
      if (!response?.ok || group !== this.group) return;
      this.tiles = (await response.json()).tiles;
      this.loaded = true;
    },
    // Only what was on the screen, loaded, as one of the class that is confirmed.
    notice(entries) {
      const { seen } = this;
      for (const { target, isIntersecting } of entries) {
        const position = Number(target.dataset.position);
        if (!isIntersecting) continue;
        const stop = this.$watch(() => this.one({ position }).state, (state) => {
          if (state !== "ready") return;
          requestAnimationFrame(() => requestAnimationFrame(() => seen.add(position)));
          queueMicrotask(() => stop());
        }, { immediate: true });
      }
    },
    mark(position) {
      if (!this.marked.delete(position)) this.marked.add(position);
    },
    confirm() {
      if (!this.right.length) return;
      this.give(this.right, this.group);
      this.marked.forEach((position) => this.refused.add(position));
      this.advance();
    },
    giveMarked(name) {
      const tiles = this.page.filter((tile) => this.marked.has(tile.position) && this.seen.has(tile.position));
      if (!tiles.length) {
        this.$emit("say", "Mark the wrong ones first, by a click: a class key gives them that class.");
        return;
      }
      this.give(tiles, name);
      this.marked = new Set();
    },
    give(tiles, label) {
      const seconds = (performance.now() - this.shownAt) / 1000 / tiles.length;
      this.$emit("give", tiles.map((picture) => ({
        picture, label, seconds, content: this.one(picture).digest ?? null, guess_shown: true,
      })));
      const given = new Set(tiles.map((tile) => tile.position));
      this.tiles = this.tiles.filter((tile) => !given.has(tile.position));
      this.shownAt = performance.now();
    },
    async advance() {
      this.marked = new Set();
      await this.$nextTick();
      this.$el.querySelector(".tiles")?.scrollIntoView?.({ block: "nearest" });
      if (this.page.length) return;
      await this.fetch();
      const later = this.groups.slice(this.groups.findIndex((one) => one.name === this.group) + 1);
      if (!this.page.length && later.length) await this.choose(later[0].name);
    },
    key(event) {
      const elsewhere = event.target.closest("button:not(.tile)");
      if (event.key !== "Enter" || elsewhere) return false;
      if (!event.repeat) this.confirm();
      return true;
    },
  },
};
