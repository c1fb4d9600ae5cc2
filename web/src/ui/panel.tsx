// What opens beside the pictures, or over them where there is no room beside.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useSay } from "./hooks.ts";
import { CloseIcon } from "./icons.tsx";
import { IconButton } from "./parts.tsx";

export type PanelName = "chat" | "people" | "host";

export const controlId = (panel: PanelName): string => `control-${panel}`;

export function Panel(props: { name: PanelName; title: string; close: () => void; children: ComponentChildren }) {
  const say = useSay();
  const id = useId();
  const head = useRef<HTMLHeadingElement>(null);
  const { name } = props;
  useEffect(() => {
    head.current?.focus();
    // Back to the button that opened it, unless another panel has taken the focus already.
    return () => {
      if (document.activeElement === document.body || !document.activeElement) {
        document.getElementById(controlId(name))?.focus();
      }
    };
  }, [name]);
  return (
    <section
      class={`panel panel-${name}`}
      aria-labelledby={id}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        props.close();
      }}
    >
      <div class="panel-head">
        <h2 id={id} ref={head} tabIndex={-1}>{props.title}</h2>
        <IconButton icon={CloseIcon} label={say("close")} onClick={props.close} />
      </div>
      {props.children}
    </section>
  );
}
