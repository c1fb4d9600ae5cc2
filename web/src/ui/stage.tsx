// The field of tiles: all alike in pages, or one large with the others beside it.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Local, Session, Source, State } from "../meeting/model.ts";
import { fit } from "./fit.ts";
import { useLook, useSay } from "./hooks.ts";
import { BeforeIcon, NextIcon } from "./icons.tsx";
import { IconButton } from "./parts.tsx";
import { isRtl } from "../strings/index.ts";
import type { Pin, TileProps } from "./tile.tsx";
import { Tile } from "./tile.tsx";

const GAP = 8;
/** A tile beside the large one: its width, and its height. */
const STRIP = { width: 160, height: 100 };

interface Shown {
  readonly key: string;
  readonly person: State["people"][number];
  readonly source: Source;
}

/** What is shown large: what was pinned, else the first screen that somebody else shares. */
export function focusOf(state: State, pin: Pin | null): Pin | null {
  if (pin) {
    const person = state.people.find(({ id }) => id === pin.person);
    if (person && (pin.source === "camera" || person.screen)) return pin;
  }
  const sharing = state.people.find((person) => person.screen && !person.self);
  return sharing ? { person: sharing.id, source: "screen" } : null;
}

function useSize() {
  const ref = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const take = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    take();
    const observer = new ResizeObserver(take);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, ...size };
}

interface StageProps {
  session: Session;
  state: State;
  local: Local;
  pin: Pin | null;
  setPin: (pin: Pin | null) => void;
}

export function Stage({ session, state, local, pin, setPin }: StageProps) {
  const say = useSay();
  const { ref, width, height } = useSize();
  const [wanted, setPage] = useState(0);
  const [reached, setReached] = useState("");

  const focus = focusOf(state, pin);
  const isFocus = (shown: Shown) => focus?.person === shown.person.id && focus.source === shown.source;
  const all: Shown[] = [];
  for (const person of state.people) {
    if (person.screen && !person.self) all.push({ key: `${person.id}-screen`, person, source: "screen" });
    all.push({ key: `${person.id}-camera`, person, source: "camera" });
  }
  const large = all.find(isFocus);
  const small = all.filter((shown) => !isFocus(shown));

  const beside = width > height * 1.2;
  const strip = Math.floor(
    beside ? (height + GAP) / (STRIP.height + GAP) : (width + GAP) / (Math.min(STRIP.width, (width - 2 * GAP) / 3) + GAP),
  );
  const grid = fit(small.length, width, height, GAP);
  const perPage = large ? Math.max(1, strip) : grid.perPage;
  const pages = Math.max(1, Math.ceil(small.length / perPage));
  const page = Math.min(wanted, pages - 1);
  const visible = width === 0 ? [] : small.slice(page * perPage, (page + 1) * perPage);
  const order = large ? [large, ...visible] : visible;
  const reachable = order.some(({ key }) => key === reached) ? reached : order[0]?.key;

  const tile = (shown: Shown, isLarge: boolean) => {
    const props: TileProps = {
      person: shown.person,
      source: shown.source,
      session,
      local,
      large: isLarge || order.length <= 2,
      pinned: isFocus(shown),
      reachable: shown.key === reachable,
      pin: setPin,
    };
    return <Tile key={shown.key} {...props} />;
  };
  const elsewhere = small.find((shown) => shown.person.speaking && shown.source === "camera" && !visible.includes(shown));
  const columns = large ? 0 : grid.columns;
  const arrows = useArrows(columns || 1);
  return (
    <div class="stage" onFocusCapture={(event) => setReached(reachedBy(event) ?? reached)}>
      <div ref={ref} class={`field-of-tiles ${large ? (beside ? "beside" : "below") : ""}`}>
        <ul
          class="tiles"
          aria-label={say("peopleShow")}
          style={{ "--columns": columns, "--tile-width": `${grid.width}px`, "--tile-height": `${grid.height}px` }}
          onKeyDown={arrows}
        >
          {large && tile(large, true)}
          {visible.map((shown) => tile(shown, false))}
        </ul>
      </div>
      {(pages > 1 || elsewhere) && (
        <nav class="pager" aria-label={say("page", { page: page + 1, pages })}>
          {pages > 1 && (
            <>
              <IconButton icon={BeforeIcon} label={say("pageBefore")} onClick={() => setPage((page + pages - 1) % pages)} />
              <span role="status">{say("page", { page: page + 1, pages })}</span>
              <IconButton icon={NextIcon} label={say("pageNext")} onClick={() => setPage((page + 1) % pages)} />
            </>
          )}
          {elsewhere && <span class="elsewhere">{say("speaksElsewhere", { name: elsewhere.person.name })}</span>}
        </nav>
      )}
    </div>
  );
}

function reachedBy(event: FocusEvent): string | null {
  const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-pin]") : null;
  return target?.dataset["pin"] ?? null;
}

/** Arrow keys go from tile to tile, so that 49 of them are one stop for Tab. */
function useArrows(columns: number) {
  const { tag } = useLook();
  return (event: KeyboardEvent & { currentTarget: HTMLUListElement }) => {
    const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>(".pin")];
    const at = buttons.findIndex((button) => button === document.activeElement);
    if (at < 0) return;
    const forward = isRtl(tag) ? -1 : 1;
    const steps: Record<string, number> = {
      ArrowRight: forward,
      ArrowLeft: -forward,
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -at,
      End: buttons.length - 1 - at,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    buttons[at + step]?.focus();
  };
}
