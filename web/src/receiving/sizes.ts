// How large a picture is, by what it says itself: whether it is a key frame is its sender's word, which need not be
// true. Decoders make room before they look further, so what is too large, or does not say, is not given to them.

/** Bits from the highest down. Behind the end there are zeros. */
class Bits {
  #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at * 8;
  }

  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++, this.#at++) {
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }
}

/** Pixels of a key frame, 0 of what goes on with the one before, or null where it cannot be read. */
export function pixels(codec: "vp8" | "vp9" | "av1", bytes: Uint8Array): number | null {
  return { vp8, vp9, av1 }[codec](bytes);
}

/** RFC 6386, section 9.1. */
function vp8(bytes: Uint8Array): number | null {
  const [tag = 1, , , a, b, c, low = 0, high = 0, below = 0, above = 0] = bytes;
  if ((tag & 1) !== 0) return 0;
  if (bytes.length < 10 || a !== 0x9d || b !== 0x01 || c !== 0x2a) return null;
  return (low | ((high & 0x3f) << 8)) * (below | ((above & 0x3f) << 8));
}

/** The uncompressed header of VP9, section 6.2 of its specification; profile 0 alone. */
function vp9(bytes: Uint8Array): number | null {
  const bits = new Bits(bytes);
  if (bits.take(2) !== 2 || bits.take(2) !== 0) return null;
  // A picture shown again, or no key frame; then whether it is shown, and resilience.
  if (bits.take(1) !== 0 || bits.take(1) !== 0) return 0;
  bits.take(2);
  if (bits.take(24) !== 0x498342) return null;
  const rgb = bits.take(3) === 7;
  if (rgb) return null;
  bits.take(1);
  return (bits.take(16) + 1) * (bits.take(16) + 1);
}

/** The sequence header of AV1, section 5.5 of its specification, which stands before each key frame and nowhere else. */
function av1(bytes: Uint8Array): number | null {
  let at = 0;
  for (let units = 0; at < bytes.length; units++) {
    const head = bytes[at] ?? 0;
    at += head & 4 ? 2 : 1;
    if (head & 0x80 || !(head & 2) || units >= 64) return null;
    let size = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 128) break;
    }
    if (((head >> 3) & 15) === 1) return sequence(new Bits(bytes, at));
    at += size;
  }
  return at > 0 ? 0 : null;
}

function sequence(bits: Bits): number | null {
  bits.take(4);
  if (bits.take(1)) bits.take(5);
  else {
    // Timing is for films; nobody's live encoder says it.
    if (bits.take(1)) return null;
    const delays = bits.take(1);
    const points = bits.take(5) + 1;
    for (let i = 0; i < points; i++) {
      bits.take(12);
      if (bits.take(5) > 7) bits.take(1);
      if (delays && bits.take(1)) bits.take(4);
    }
  }
  const width = bits.take(4) + 1;
  const height = bits.take(4) + 1;
  return (bits.take(width) + 1) * (bits.take(height) + 1);
}
