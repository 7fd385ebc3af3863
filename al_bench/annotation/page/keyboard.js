// What a key does. Keys that give a class come first; in a dialog most others do nothing.

const OWN = { ArrowRight: "later", ArrowDown: "guess", " ": "zoom", Enter: "keep" };
const PAN = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };

export const keyboard = {
  created() {
    window.addEventListener("keydown", this.key);
  },
  beforeUnmount() {
    window.removeEventListener("keydown", this.key);
  },
  methods: {
    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || !this.state || event.target.closest("input, textarea")) return;
      const used = this.zoomed || this.help ? this.keyOfDialog(event) : this.keyOfPage(event);
      if (used) event.preventDefault();
    },
    // Which answer a key gives, null: cannot tell; undefined: none.
    labelOf(event) {
      const named = (key) => this.view.classes.find((one) => one.key === key)?.name;
      const written = named(event.key.toLowerCase());
      // Where digits are written with Shift, the key alone is the digit.
      const digit = event.shiftKey ? undefined : /^Digit(\d)$/.exec(event.code)?.[1];
      if (written !== undefined) return written;
      return event.key === "0" || digit === "0" ? null : named(digit);
    },
    // A button that was clicked does not take the next Space or Enter; one that was reached by Tab does.
    unfocus(event) {
      if (event.detail > 0 && document.activeElement?.matches("button")) document.activeElement.blur();
    },
    keyOfDialog(event) {
      if (event.key === "Escape" || (event.key === " " && this.zoomed)) {
        this.closeZoom();
        this.help = false;
      } else if (!this.zoomed) return false;
      else if (this.labelOf(event) !== undefined) {
        if (!event.repeat) this.press(this.labelOf(event), event);
        this.closeZoom();
      } else if (event.key === "+") this.$refs.zoom.by(1.4);
      else if (event.key === "-") this.$refs.zoom.by(1 / 1.4);
      else if (event.key.startsWith("Arrow")) this.$refs.zoom.pan(...(PAN[event.key] ?? [0, 0]));
      else return event.key !== "Tab" && event.key !== "Enter";
      return true;
    },
    keyOfPage(event) {
      if (event.key === "?") return (this.help = true);
      if (!this.seated || event.key === "Tab") return false;
      if (event.key === "/" && this.labelOf(event) === undefined) return this.$refs.classes.find();
      if (event.key === "Backspace") return event.repeat || (this.takeBack() ?? true);
      if (this.mode === "grid" && this.$refs.grid.key(event)) return true;
      const label = this.labelOf(event);
      const own = label === undefined ? (OWN[event.key] ?? null) : "label";
      const focused = event.target.closest("button") && [" ", "Enter"].includes(event.key);
      if (own === null || focused || (this.mode === "grid" && own !== "label")) return false;
      if (event.repeat) return true; // a key that is held down is pressed once
      if (own === "label") this.press(label, event);
      else if (own === "later") this.later(event);
      else if (own === "zoom") this.openZoom();
      else if (own === "guess" && this.mode === "label") this.showGuess();
      else if (own === "keep" && this.mode === "looks" && this.current) this.keep(event);
      return true;
    },
  },
};
