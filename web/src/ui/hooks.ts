// What screens share: stores that tell when they change, the language, the width of the window.
import { createContext } from "preact";
import { useContext, useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Stop } from "../meeting/model.ts";
import type { Say, Tag } from "../strings/index.ts";

interface Store<S> {
  state(): S;
  subscribe(changed: () => void): Stop;
}

export function useStore<S>(store: Store<S>): S {
  const [state, setState] = useState(() => store.state());
  useLayoutEffect(() => {
    const take = () => setState(() => store.state());
    take();
    return store.subscribe(take);
  }, [store]);
  return state;
}

export type Theme = "auto" | "light" | "dark";

export interface Look {
  readonly tag: Tag;
  readonly say: Say;
  readonly theme: Theme;
  setTag(tag: Tag): void;
  setTheme(theme: Theme): void;
}

export const LookContext = createContext<Look | null>(null);

export function useLook(): Look {
  const look = useContext(LookContext);
  if (!look) throw new Error("outside of the page");
  return look;
}

export const useSay = (): Say => useLook().say;

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const take = () => setMatches(list.matches);
    take();
    list.addEventListener("change", take);
    return () => list.removeEventListener("change", take);
  }, [query]);
  return matches;
}

/** A screen that locks takes sound and pictures with it: a phone's is held on while this is shown. */
export function useScreenOn(): void {
  useEffect(() => {
    let held: Promise<WakeLockSentinel | null> = Promise.resolve(null);
    // It is lost with each time that the page is hidden. Without power to spare it is refused.
    const hold = () => {
      if (document.visibilityState === "visible" && navigator.wakeLock) {
        held = held.then((before) => before?.release()).then(() => navigator.wakeLock.request()).catch(() => null);
      }
    };
    hold();
    document.addEventListener("visibilitychange", hold);
    return () => {
      document.removeEventListener("visibilitychange", hold);
      void held.then((last) => last?.release()).catch(() => undefined);
    };
  }, []);
}

/** Where a panel covers the pictures instead of standing beside them. */
export const useNarrow = (): boolean => useMedia("(max-width: 760px)");
