import { en } from "./en.ts";
import type { Prepared } from "./types.ts";
export const zhHans: Prepared = en;
