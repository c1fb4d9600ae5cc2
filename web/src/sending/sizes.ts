// Which sizes, rates and bits pictures have.

/** What a track may be at most. */
export interface Most {
  /** Of the longer and of the shorter side, in pixels. */
  readonly long: number;
  readonly short: number;
  /** Bits a second, of a picture of that size. */
  readonly bitrate: number;
  readonly fps: number;
}

export interface Shape {
  readonly width: number;
  readonly height: number;
  readonly bitrate: number;
  readonly fps: number;
}

/** A picture of this size by a track's bounds: in its proportions, in even numbers, never enlarged. */
export function shape(width: number, height: number, most: Most): Shape {
  const part = Math.min(1, most.long / Math.max(width, height), most.short / Math.min(width, height));
  const even = (side: number) => Math.max(16, Math.round((side * part) / 2) * 2);
  const [wide, high] = [even(width), even(height)];
  // Small pictures need more bits a pixel than large ones.
  const full = Math.min(1, (wide * high) / (most.long * most.short));
  return { width: wide, height: high, bitrate: Math.round(most.bitrate * full ** 0.75), fps: most.fps };
}
