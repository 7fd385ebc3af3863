// The classes: a button with its key for each, and a form for more.

export const Classes = {
  props: ["classes", "flashed"],
  emits: ["give", "name"],
  template: `
    <section class="classes" aria-label="Classes">
      <div class="answers">
        <div v-for="one in classes" :key="one.name" class="answer" :class="{ flashed: flashed === one.name }">
          <button type="button" class="give" :aria-keyshortcuts="one.key" @click="$emit('give', one.name, $event)"
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
        <input v-model="key" placeholder="key" aria-label="Key of the new class" maxlength="1" size="2" autocapitalize="none">
        <button type="submit">Add</button>
      </form>
      <button type="button" class="plain edit" @click="editing = !editing" :aria-expanded="editing">
        {{ editing ? "Done" : "Add a class, choose keys" }}</button>
    </section>`,
  // typed: keys that are being typed, which what comes from the process meanwhile must not replace
  data: () => ({ editing: false, name: "", key: "", typed: {} }),
  methods: {
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
      this.$emit("name", this.name.trim(), this.key || null);
      this.name = this.key = "";
    },
  },
};
