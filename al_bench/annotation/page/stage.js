// The picture to label, and the whole of it to look at closely.

export const Stage = {
  props: ["picture", "loaded"],
  emits: ["painted", "zoom", "retry"],
  template: `
    <figure class="stage" :data-position="painted">
      <div v-show="loaded.state === 'ready'" ref="frame" class="frame" @click="$emit('zoom')"></div>
      <p v-if="loaded.state === 'failed'" class="placeholder" role="alert">
        {{ loaded.sentence }}
        <button type="button" class="plain" @click="$emit('retry')">Try again</button>
      </p>
      <p v-if="loaded.state === 'loading'" class="placeholder quiet">Loading</p>
      <slot />
    </figure>`,
  data: () => ({ painted: null }),
  watch: {
    "picture.position": { handler: "show", flush: "post" },
    "loaded.state": { handler: "show", flush: "post" },
  },
  mounted() {
    this.show();
  },
  methods: {
    // Says so once the picture has been on the screen: a key before that is meant for another one.
    show() {
      const { position } = this.picture;
      const { image, state } = this.loaded;
      this.painted = null;
      this.$refs.frame.replaceChildren(...(image ? [image] : []));
      if (image) image.alt = this.picture.file;
      if (state === "loading") return;
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          if (position !== this.picture.position || this.loaded.state === "loading") return;
          this.painted = position;
          this.$emit("painted", position);
        }),
      );
    },
  },
};

export const Zoom = {
  props: ["picture", "loaded"],
  emits: ["close"],
  template: `
    <div class="zoom" role="dialog" aria-modal="true" :aria-label="'Zoom: ' + picture.file" @wheel.prevent="wheel"
      @pointerdown="down" @pointermove="move" @pointerup="up" @pointercancel="up">
      <img v-if="loaded.state === 'ready'" :src="loaded.url" :alt="picture.file" draggable="false"
        :style="{ transform: 'translate(' + x + 'px,' + y + 'px) scale(' + scale + ')' }">
      <p v-else class="placeholder" :class="{ quiet: loaded.state === 'loading' }">
        {{ loaded.sentence ?? "Loading the whole picture" }}</p>
      <div class="zoom-bar">
        <button type="button" @click="by(1 / 1.4)" aria-label="Smaller">&minus;</button>
        <output>{{ Math.round(100 * scale) }} %</output>
        <button type="button" @click="by(1.4)" aria-label="Larger">+</button>
        <button type="button" ref="close" @click="$emit('close')">Close <kbd>Esc</kbd></button>
      </div>
    </div>`,
  data: () => ({ scale: 1, x: 0, y: 0, fingers: {} }),
  mounted() {
    this.$refs.close.focus();
  },
  methods: {
    by(factor) {
      const next = Math.min(40, Math.max(0.5, this.scale * factor));
      this.x *= next / this.scale;
      this.y *= next / this.scale;
      this.scale = next;
    },
    pan(x, y) {
      this.x += x;
      this.y += y;
    },
    wheel(event) {
      this.by(Math.exp(-event.deltaY / 400));
    },
    down(event) {
      if (event.target.closest("button")) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      this.fingers[event.pointerId] = [event.clientX, event.clientY];
    },
    move(event) {
      const before = this.fingers[event.pointerId];
      if (!before) return;
      const others = Object.entries(this.fingers).filter(([name]) => name !== String(event.pointerId));
      if (others.length === 0) this.pan(event.clientX - before[0], event.clientY - before[1]);
      else this.by(distance(others[0][1], [event.clientX, event.clientY]) / distance(others[0][1], before));
      this.fingers[event.pointerId] = [event.clientX, event.clientY];
    },
    up(event) {
      delete this.fingers[event.pointerId];
    },
  },
};

function distance(one, other) {
  return Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
}
