// The classes: a button with its key for each, a field to find one of many by its name, and a form for more.

const MANY = 12; // classes, from which on there is the field

export const Classes = {
  props: ["classes", "flashed"],
  emits: ["give", "name"],
  template: `
    <section class="classes" aria-label="Classes">
      <div v-if="many" class="find">
        <input ref="find" v-model="text" type="search" placeholder="Find a class (/)" aria-label="Find a class"
          aria-keyshortcuts="/" autocomplete="off" autocapitalize="none" spellcheck="false" @keydown="key">
        <p class="quiet" aria-live="polite">{{ words }}</p>
      </div>
      <div class="answers" :class="{ many }">
        <div v-for="(one, place) in found" :key="one.name" class="answer"
          :class="{ flashed: flashed === one.name, first: place === 0 && text.trim() }">
          <button type="button" class="give" :aria-keyshortcuts="one.key" @click="give(one.name, $event)"
            :style="{ '--share': share(one) }">
            <kbd v-if="!editing">{{ one.key ?? "" }}</kbd><span class="name">{{ one.name }}</span><span class="count"
              :aria-label="one.count + ' labeled'">{{ one.count }}</span>
          </button>
          <input v-if="editing" :value="typed[one.name] ?? one.key" maxlength="1" size="1" :aria-label="'Key of ' + one.name"
            @input="typed[one.name] = $event.target.value" @change="rename(one, $event)" @focus="$event.target.select()" autocomplete="off" autocapitalize="none">
        </div>
      </div>
      <form v-if="editing" class="more" @submit.prevent="add">
        <input v-model="name" placeholder="Another class" aria-label="Name of the new class" maxlength="200">
        <input v-model="letter" placeholder="key" aria-label="Key of the new class" maxlength="1" size="2" autocapitalize="none">
        <button type="submit">Add</button>
      </form>
      <button type="button" class="plain edit" @click="editing = !editing" :aria-expanded="editing">
        {{ editing ? "Done" : "Add a class, choose keys" }}</button>
    </section>`,
  // typed: keys that are being typed, which what comes from the process meanwhile must not replace
  data: () => ({ editing: false, name: "", letter: "", typed: {}, text: "" }),
  computed: {
    many() {
      return this.classes.length > MANY;
    },
    // Those that have what was typed in their name, at its beginning first.
    found() {
      const wanted = plain(this.text.trim());
      if (!this.many || !wanted) return this.classes;
      const having = this.classes.filter((one) => plain(one.name).includes(wanted));
      const begins = (one) => plain(one.name).startsWith(wanted);
      const is = (one) => plain(one.name) === wanted;
      return having.sort((one, other) => is(other) - is(one) || begins(other) - begins(one));
    },
    words() {
      if (!this.text.trim()) return "";
      return this.found.length ? `${this.found.length} of ${this.classes.length}; Enter: ${this.found[0].name}` : "No class has that in its name.";
    },
  },
  methods: {
    give(name, event) {
      this.text = "";
      this.$emit("give", name, event);
    },
    // Puts the cursor into the field; returns whether there is one.
    find() {
      this.$refs.find?.focus();
      return this.many;
    },
    key(event) {
      if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      if (event.key === "Enter" && (event.repeat || !this.text.trim() || !this.found.length)) return;
      if (event.key === "Enter") this.give(this.found[0].name, event);
      this.text = "";
      this.$refs.find.blur();
    },
    share(one) {
      return one.count / Math.max(1, ...this.classes.map((other) => other.count));
    },
    rename(one, event) {
      delete this.typed[one.name];
      if (event.target.value.trim()) this.$emit("name", one.name, event.target.value);
      else event.target.value = one.key ?? "";
    },
    add() {
      if (!this.name.trim()) return;
      this.$emit("name", this.name.trim(), this.letter || null);
      this.name = this.letter = "";
    },
  },
};

// A name as it is compared: without accents, in small letters.
function plain(name) {
  return name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
