// Small things that screens are made of.
import type { ComponentChildren, FunctionComponent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useSay } from "./hooks.ts";
import { CloseIcon, CopyIcon } from "./icons.tsx";

interface ButtonProps {
  icon: FunctionComponent;
  label: string;
  onClick: () => void;
  /** Shows the words beside or under the icon, where there is room. */
  words?: string;
  look?: "plain" | "main" | "danger" | "off" | "on";
  pressed?: boolean | undefined;
  expanded?: boolean | undefined;
  keys?: string | undefined;
  badge?: number | undefined;
  class?: string;
  id?: string;
  tabIndex?: number;
}

export function IconButton(props: ButtonProps) {
  const { icon: Icon, label, look = "plain", badge = 0, keys } = props;
  return (
    <button
      type="button"
      id={props.id}
      tabIndex={props.tabIndex}
      class={`icon-button ${look} ${props.class ?? ""}`}
      aria-label={label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      aria-keyshortcuts={keys}
      data-badge={badge > 0 ? (badge > 99 ? "99+" : badge) : undefined}
      title={keys ? `${label} (${keys})` : label}
      onClick={props.onClick}
    >
      <Icon />
      {props.words && <span class="button-words" aria-hidden="true">{props.words}</span>}
    </button>
  );
}

export function Switch(props: { label: string; help?: string; on: boolean; set: (on: boolean) => void }) {
  const id = useId();
  return (
    <div class="field switch">
      <input
        type="checkbox"
        role="switch"
        autocomplete="off"
        id={id}
        checked={props.on}
        aria-describedby={props.help ? `${id}-help` : undefined}
        onChange={(event) => props.set(event.currentTarget.checked)}
      />
      <label for={id}>{props.label}</label>
      {props.help && <p id={`${id}-help`} class="help">{props.help}</p>}
    </div>
  );
}

interface Option<V extends string> {
  value: V;
  label: string;
  lang?: string;
}

export function Select<V extends string>(props: {
  label: string;
  hideLabel?: boolean;
  value: V;
  options: readonly Option<V>[];
  set: (value: V) => void;
}) {
  const id = useId();
  return (
    <div class="field select">
      <label for={id} class={props.hideLabel ? "unseen" : ""}>{props.label}</label>
      <select id={id} autocomplete="off" value={props.value} onChange={(event) => props.set(event.currentTarget.value as V)}>
        {props.options.map(({ value, label, lang }) => (
          <option key={value} value={value} lang={lang} selected={value === props.value}>{label}</option>
        ))}
      </select>
    </div>
  );
}

export function Choice<V extends string>(props: {
  label: string;
  value: V;
  options: readonly (Option<V> & { help?: string })[];
  set: (value: V) => void;
}) {
  const name = useId();
  return (
    <fieldset class="field choice">
      <legend>{props.label}</legend>
      {props.options.map(({ value, label, help }) => (
        <label key={value} class="choice-option">
          <input type="radio" autocomplete="off" name={name} checked={value === props.value} onChange={() => props.set(value)} />
          <span>
            {label}
            {help && <span class="help">{help}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** A dialog over everything else; the browser keeps the focus inside and gives it back. */
export function Dialog(props: { title: string; close: () => void; class?: string; children: ComponentChildren }) {
  const say = useSay();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${props.class ?? ""}`}
      aria-labelledby={id}
      onClose={props.close}
      onClick={(event) => event.target === dialog.current && props.close()}
    >
      <div class="dialog-body">
        <div class="panel-head">
          <h2 id={id}>{props.title}</h2>
          <IconButton icon={CloseIcon} label={say("close")} onClick={props.close} />
        </div>
        {props.children}
      </div>
    </dialog>
  );
}

interface AskProps {
  question: string;
  help?: string;
  yes: string;
  act: () => void;
  close: () => void;
  children?: ComponentChildren;
}

/** Asks before something that cannot be taken back. */
export function Ask(props: AskProps) {
  const say = useSay();
  return (
    <Dialog title={props.question} close={props.close} class="ask">
      {props.help && <p>{props.help}</p>}
      <div class="row end">
        <button type="button" class="button" onClick={props.close}>{say("cancel")}</button>
        {props.children}
        <button
          type="button"
          class="button danger"
          onClick={() => {
            props.act();
            props.close();
          }}
        >
          {props.yes}
        </button>
      </div>
    </Dialog>
  );
}

export function CopyField(props: { label: string; help?: string; value: string; secret?: boolean }) {
  const say = useSay();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [done, setDone] = useState<"no" | "copied" | "selected">("no");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(props.value);
      setDone("copied");
    } catch {
      input.current?.select();
      setDone("selected");
    }
  };
  return (
    <div class={`field copy-field ${props.secret ? "secret" : ""}`}>
      <label for={id}>{props.label}</label>
      <div class="row">
        <input
          id={id}
          ref={input}
          readOnly
          autocomplete="off"
          dir="ltr"
          value={props.value}
          aria-describedby={`${id}-help`}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="button" aria-label={`${say("copy")}: ${props.label}`} onClick={copy}>
          <CopyIcon />
          {done === "copied" ? say("copied") : say("copy")}
        </button>
      </div>
      <p id={`${id}-help`} class="help">{props.help}</p>
      <p role="status" class={done === "selected" ? "help" : "unseen"}>
        {done === "copied" ? say("copied") : done === "selected" ? say("selectAndCopy") : ""}
      </p>
    </div>
  );
}

/** A level that moves with `read`, which is asked some ten times a second. */
export function Meter(props: { label: string; read: () => number }) {
  const bar = useRef<HTMLDivElement>(null);
  const { read } = props;
  useEffect(() => {
    const timer = setInterval(() => {
      const level = read();
      bar.current?.style.setProperty("--level", level.toFixed(2));
      bar.current?.setAttribute("aria-valuenow", String(Math.round(level * 100)));
    }, 90);
    return () => clearInterval(timer);
  }, [read]);
  return (
    <div class="meter" ref={bar} role="meter" aria-label={props.label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={0}>
      <span class="meter-fill" />
    </div>
  );
}
