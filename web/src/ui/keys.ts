// Keys inside a meeting. Letters need Alt, so that nobody who dictates or types sets anything off; the
// space bar speaks while it is held, wherever it would not press a button or write a space.
import { useEffect, useRef } from "preact/hooks";

export type Act = "microphone" | "camera" | "screen" | "hand" | "chat" | "people";

/** By the key's place, so that the layout of the keyboard does not matter. */
const KEYS: Record<string, Act> = {
  KeyM: "microphone",
  KeyV: "camera",
  KeyS: "screen",
  KeyH: "hand",
  KeyC: "chat",
  KeyP: "people",
};

export const shortcut = (act: Act): string => {
  const [code] = Object.entries(KEYS).find(([, does]) => does === act) ?? [""];
  return `Alt+${code.slice(3)}`;
};

/** Alt writes letters, too, as ś and ß on a Mac's keyboard: in a text those are text. */
const WRITES = "input, textarea, [contenteditable]";

const TAKES_SPACE = "input, textarea, select, button, summary, a, dialog, [contenteditable]";

export function useKeys(act: (act: Act) => void, talk: (on: boolean) => void): void {
  const now = useRef({ act, talk });
  now.current = { act, talk };
  useEffect(() => {
    let held = false;
    const release = () => {
      if (held) now.current.talk(false);
      held = false;
    };
    const down = (event: KeyboardEvent) => {
      const what = KEYS[event.code];
      const target = event.target instanceof Element ? event.target : null;
      const text = target?.closest(WRITES) && !/^[a-z]$/i.test(event.key);
      if (event.altKey && !event.ctrlKey && !event.metaKey && what && !event.repeat && !text) {
        event.preventDefault();
        return now.current.act(what);
      }
      if (event.code !== "Space" || event.altKey || event.ctrlKey || target?.closest(TAKES_SPACE)) return;
      event.preventDefault();
      if (held) return;
      held = true;
      now.current.talk(true);
    };
    const up = (event: KeyboardEvent) => event.code === "Space" && release();
    addEventListener("keydown", down);
    addEventListener("keyup", up);
    // A key that is let go over another window is never told here.
    addEventListener("blur", release);
    return () => {
      release();
      removeEventListener("keydown", down);
      removeEventListener("keyup", up);
      removeEventListener("blur", release);
    };
  }, []);
}
