// What is written in the meeting; kept in this tab's memory and nowhere else.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Session, State } from "../meeting/model.ts";
import { useLook } from "./hooks.ts";
import { SendIcon } from "./icons.tsx";
import { IconButton } from "./parts.tsx";
import { Panel } from "./panel.tsx";

/** Bytes of one message: as many as the meeting's format lets through. */
const CHAT_BYTES = 4096;

export function Chat({ session, state, close }: { session: Session; state: State; close: () => void }) {
  const { say, tag } = useLook();
  const id = useId();
  const [text, setText] = useState("");
  const list = useRef<HTMLDivElement>(null);
  const long = new TextEncoder().encode(text).length > CHAT_BYTES;
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [state.chat.length]);
  const time = new Intl.DateTimeFormat(tag, { timeStyle: "short" });
  const send = () => {
    if (!text.trim() || long) return;
    session.say(text.trim());
    setText("");
  };
  return (
    <Panel name="chat" title={say("chat")} close={close}>
      <div class="lines" ref={list} role="log" aria-label={say("chat")} tabIndex={0}>
        <ol>
          {state.chat.length === 0 && <li class="quiet">{say("chatEmpty")}</li>}
          {state.chat.map((line) => (
            <li key={line.id} class={`line ${line.mine ? "mine" : ""}`}>
              <p class="line-head">
                <bdi>{line.mine ? say("you") : line.name}</bdi>
                <time>{time.format(line.at)}</time>
              </p>
              <p class="line-text" dir="auto">{line.text}</p>
            </li>
          ))}
        </ol>
      </div>
      {!state.viewer && (
        <form
          class="write"
          autocomplete="off"
          onSubmit={(event) => {
            event.preventDefault();
            send();
          }}
        >
          <label for={id} class="unseen">{say("chatWrite")}</label>
          <textarea
            id={id}
            rows={2}
            dir="auto"
            autocomplete="off"
            spellcheck={false}
            placeholder={say("chatWrite")}
            value={text}
            aria-invalid={long}
            aria-describedby={`${id}-long`}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              // While a word is being composed, Enter belongs to the input method.
              if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
              event.preventDefault();
              send();
            }}
          />
          <IconButton icon={SendIcon} label={say("chatSend")} look="main" onClick={send} />
          <p id={`${id}-long`} class={long ? "wrong" : "unseen"}>{long ? say("chatTooLong") : ""}</p>
        </form>
      )}
    </Panel>
  );
}
