// Pictures that are loaded ahead, so that the next one is there when a key is pressed.
import { reactive } from "vue";

const AT_A_TIME = 4;

// A picture that is being loaded, is ready (url, digest: of the file on the disk) or failed (sentence).
export class Pictures {
  constructor() {
    this.kept = reactive(new Map());
    this.waiting = [];
    this.loading = 0;
  }

  get(position, size = "view") {
    return this.kept.get(`${size}/${position}`) ?? { state: "loading" };
  }

  // Loads what is named, the first first, and forgets all else of that size.
  want(positions, size = "view") {
    const names = positions.map((position) => `${size}/${position}`);
    for (const [name, picture] of this.kept)
      if (name.startsWith(`${size}/`) && (picture.gone || !names.includes(name))) this.forget(name, picture);
    this.waiting = [...names.filter((name) => !this.kept.has(name)), ...this.waiting.filter((one) => !one.startsWith(`${size}/`))];
    this.next();
  }

  retry(position, size = "view") {
    this.kept.delete(`${size}/${position}`);
    this.waiting.unshift(`${size}/${position}`);
    this.next();
  }

  // Loads a picture anew, whose file is another by now.
  renew(position) {
    for (const name of [`view/${position}`, `tile/${position}`]) {
      if (!this.kept.has(name)) continue;
      this.forget(name, this.kept.get(name));
      this.waiting.unshift(name);
    }
    this.next();
  }

  next() {
    while (this.loading < AT_A_TIME && this.waiting.length) {
      const name = this.waiting.shift();
      if (this.kept.has(name)) continue;
      this.kept.set(name, { state: "loading" });
      this.loading += 1;
      this.load(name).then((picture) => {
        this.loading -= 1;
        if (this.kept.has(name)) this.kept.set(name, picture);
        else if (picture.url) URL.revokeObjectURL(picture.url);
        this.next();
      });
    }
  }

  async load(name) {
    const [size, position] = name.split("/");
    try {
      const response = await fetch(`/picture/${position}?size=${size}`);
      if (!response.ok) return { state: "failed", sentence: (await response.json()).sentence };
      const url = URL.createObjectURL(await response.blob());
      const image = new Image();
      image.src = url;
      await image.decode();
      return { state: "ready", url, image, digest: response.headers.get("X-Content"), width: image.naturalWidth };
    } catch {
      return { state: "failed", gone: true, sentence: "This picture could not be loaded: the page does not answer." };
    }
  }

  forget(name, picture) {
    this.kept.delete(name);
    if (picture.url) URL.revokeObjectURL(picture.url);
  }
}
