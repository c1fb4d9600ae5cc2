// Bounds on what others can make a page hold or do, with what changing each would cost.

/** Sound is 48 kHz everywhere: Opus decodes to it, and the player runs at it. */
export const RATE = 48_000;
/** Samples a millisecond. */
export const PER_MS = RATE / 1000;

/** People with tracks. A meeting has some 200 members; a room has no more than this. */
export const MOST_PEOPLE = 1024;
/** As many as a presence may announce. */
export const MOST_TRACKS = 16;
/** Sounds decoded at once; each holds some 130 kB in the player (twice that in stereo). */
export const MOST_VOICES = 200;
/** Pictures decoded at once; a screen has 49 tiles, and one that fills it. */
export const MOST_PICTURES = 64;

/** Bytes of an Opus packet: 16 pieces of 900 bytes are the most that comes. */
export const LONGEST_SOUND = 14_400;
/** Bytes of a picture: the most that a frame of a group holds. */
export const LONGEST_PICTURE = 4 << 20;
/** Pixels of a picture. A decoder takes memory for what a key frame says, before it finds out that it lies. */
export const LARGEST_PICTURE = 4096 * 2304;
/** Samples of a decoded packet: Opus knows none longer than 120 ms. */
export const LONGEST_PACKET = 120 * PER_MS;

/** Microseconds; beyond, arithmetic with them would lose digits. It is a hundred years. */
export const LATEST = 2 ** 52;

/** So many frames in a row behind the newest of their track begin it anew, as in every receiver. */
export const BEHIND = 64;

/** Encoded pictures of a track that wait for their time: more than a second at 60 a second. */
export const WAITING_PICTURES = 90;
export const WAITING_BYTES = 8 << 20;
/** Decoded pictures of a track that wait: they are scarce, decoders stop when all are taken. */
export const READY_PICTURES = 4;

/** Failures of a decoder without anything good in between, until it is given up. */
export const MOST_FAILURES = 5;
