// Which encoded pictures may be decoded: from a key frame on, as long as none is missing. What was built
// on a missing one would be smeared; the last whole picture stays until the next key frame instead.
import { BEHIND } from "./limits.ts";

export class Gate {
  #last = -1;
  #open = false;
  #behind = 0;
  /** Only key frames, for a device that cannot keep up. */
  keysOnly = false;

  pass(number: number, keyframe: boolean): boolean {
    if (number <= this.#last) {
      // Of an older group, which is still coming while a newer one began; or its sender counts anew.
      if (++this.#behind < BEHIND) return false;
      this.#open = false;
      if (!keyframe) return false;
    }
    this.#behind = 0;
    if (keyframe) this.#open = true;
    else if (this.keysOnly || number !== this.#last + 1) this.#open = false;
    if (this.#open) this.#last = number;
    return this.#open;
  }

  /** The next one that passes is a key frame. */
  close(): void {
    this.#open = false;
  }
}
