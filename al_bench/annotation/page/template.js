// What the page consists of.
export const template = `
    <div class="labeler" v-if="state" @click.capture="unfocus">
      <div :inert="!!(zoomed || help)">
      <header>
        <div class="bar" :style="{ '--done': done }" role="progressbar" aria-label="Labeled of what was asked"
          :aria-valuenow="Math.round(100 * done)"></div>
        <div role="tablist" aria-label="How to label">
          <button v-for="(words, name) in modes" :key="name" type="button" role="tab" :aria-selected="mode === name"
            @click="turn(name)">{{ words }}<span v-if="name === 'looks' && view.numLooks" class="count">
            {{ view.numLooks }}</span></button>
        </div>
        <button type="button" class="round" @click="theme = themes[theme]" :aria-label="'Theme: ' + theme"
          :title="'Theme: ' + theme">{{ { auto: "◐", light: "☀", dark: "☾" }[theme] }}</button>
        <button type="button" class="round" @click="help = true" aria-label="Keys" title="Keys (?)">?</button>
      </header>
      <p v-if="unsaved" class="warning" role="alert">{{ outbox.pending.length }} not saved yet: {{ outbox.seen.problem }}.
        They are kept in this browser and sent again.</p>
      <div v-if="outbox.seen.refused.length" class="warning" role="alert">
        <p>{{ outbox.seen.refused.length === 1 ? "One answer was" : outbox.seen.refused.length + " answers were" }} not kept:</p>
        <ul><li v-for="(sentence, place) in outbox.seen.refused" :key="place">{{ sentence }}</li></ul>
        <button type="button" @click="outbox.dismiss()">I have read it</button>
      </div>
      <div v-if="outbox.seen.elsewhere" class="warning" role="alert">
        <p>Of another run, whose page was at this address, {{ outbox.seen.elsewhere === 1 ? "one answer is" :
          outbox.seen.elsewhere + " answers are" }} not saved: kept in this browser, and sent once that page is here again.
          Where that run was deleted or made anew, they can go nowhere.</p>
        <button type="button" @click="outbox.drop()">Forget them</button>
      </div>
      <p v-if="state.problem" class="warning" role="alert">{{ state.problem }}</p>
      <p class="run" :class="alive ? state.state : 'stopped'"><span class="dot"></span>{{ state.said }}</p>

      <main v-if="!seated" class="away">
        <p>The page is open in another window, which labels.</p>
        <button type="button" class="primary" @click="$emit('claim')">Label here</button>
      </main>
      <main v-else-if="mode === 'grid'">
        <div class="left">
          <Grid ref="grid" :version="state.version" :groups="state.groups" :pictures="pictures" :answered="answered"
            :refused="refused" :words="words" @give="give" @back="takeBack" @say="say" />
        </div>
        <aside>
          <Classes ref="classes" :classes="view.classes" :flashed="flashed" @give="press" @name="nameClass" />
          <Facts :state="state" :view="view" />
        </aside>
      </main>
      <main v-else>
        <div class="left">
          <Stage v-if="current" :picture="current" :loaded="pictures.get(current.position)" @painted="painted"
            @zoom="openZoom" @retry="pictures.retry(current.position)">
            <figcaption><span class="file">{{ current.file }}</span>
              <span v-if="current.audit" class="chip" title="Kept apart from training: accuracy is measured on it">audit set</span>
              <span v-if="current.asked_by !== null && current.asked_by !== undefined" class="chip" title="The model that asked for this picture; 1 was the first">model {{ current.asked_by + 1 }} asked</span>
            </figcaption>
            <p v-if="guess" class="guess" role="status">{{ guess }}</p>
          </Stage>
          <div v-else class="stage"><p class="placeholder">{{ nothing }}</p></div>
          <div class="actions" v-if="current || view.history.length">
            <button type="button" @click="takeBack" :disabled="!view.history.length"><kbd>⌫</kbd><span>Take back</span></button>
            <template v-if="current">
              <button v-if="mode === 'looks'" type="button" class="primary" @click="keep($event)"><kbd>⏎</kbd><span>Keep {{ current.answer }}</span></button>
              <button type="button" @click="press(null, $event)"><kbd>0</kbd><span>Cannot tell</span></button>
              <button type="button" @click="later($event)"><kbd>→</kbd><span>{{ mode === "looks" ? "Skip" : "Later" }}</span></button>
              <button type="button" @click="openZoom"><kbd>␣</kbd><span>Zoom</span></button>
              <button v-if="mode === 'label'" type="button" @click="showGuess" :aria-pressed="guess !== null"><kbd>↓</kbd><span>Guess</span></button>
            </template>
          </div>
          <p class="last" aria-live="polite">{{ words }}</p>
        </div>
        <aside>
          <Classes ref="classes" :classes="view.classes" :flashed="flashed" @give="press" @name="nameClass" />
          <Facts :state="state" :view="view" />
        </aside>
      </main>
      </div>
      <Zoom v-if="zoomed" ref="zoom" :picture="zoomed" :loaded="pictures.get(zoomed.position, 'whole')" @close="closeZoom" />
      <Help v-if="help" @close="help = false" />
    </div>
    <p v-else class="placeholder quiet">{{ trouble ?? "Loading" }}</p>`;
