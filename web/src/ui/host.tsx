// For whoever holds the meeting: who knocks, the lock, the links, the end.
import { useState } from "preact/hooks";
import type { Knock, Session, State } from "../meeting/model.ts";
import { useSay } from "./hooks.ts";
import { Panel } from "./panel.tsx";
import { Ask, CopyField, Switch } from "./parts.tsx";
import { Words, listFor } from "./words.tsx";
import { useLook } from "./hooks.ts";

export function Host({ session, state, close }: { session: Session; state: State; close: () => void }) {
  const say = useSay();
  const [asking, setAsking] = useState<"all" | "end" | null>(null);
  const { knocks } = state;
  return (
    <Panel name="host" title={say("hostPanel")} close={close}>
      <div class="panel-scroll" tabIndex={0} role="group" aria-label={say("hostPanel")}>
        <section aria-labelledby="knocks-title">
          <h3 id="knocks-title">{knocks.length ? say("knocks", { count: knocks.length }) : say("noKnocks")}</h3>
          <ul class="knocks">
            {knocks.map((knock) => <KnockRow key={knock.number} session={session} knock={knock} />)}
          </ul>
          {(knocks.length > 1 || state.admittingAll) && (
            <div class="row">
              {state.admittingAll ? (
                <button type="button" class="button" onClick={() => session.admitAll(false)}>{say("admitAllStop")}</button>
              ) : (
                <button type="button" class="button" onClick={() => setAsking("all")}>{say("admitAll")}</button>
              )}
              {knocks.length > 1 && (
                <button type="button" class="button" onClick={() => session.denyAll()}>{say("denyAll")}</button>
              )}
            </div>
          )}
        </section>
        <section>
          <Switch label={say("lock")} help={say("lockHelp")} on={state.locked} set={(on) => session.lock(on)} />
          <button type="button" class="button" onClick={() => session.askQuiet()}>{say("askQuiet")}</button>
        </section>
        <section aria-labelledby="links-title">
          <h3 id="links-title">{say("invite")}</h3>
          {state.link && <CopyField label={say("inviteLink")} help={say("madeMeetingHelp")} value={state.link} />}
          {state.cohostLinks.map((link, at) => (
            <CopyField
              key={link}
              label={say("inviteCohostLink", { rank: at + 1 })}
              help={say("madeCohostHelp")}
              value={link}
              secret
            />
          ))}
        </section>
        <section>
          <button type="button" class="button danger" onClick={() => setAsking("end")}>{say("endForAll")}</button>
        </section>
      </div>
      {asking === "all" && (
        <Ask question={say("admitAllAsk")} yes={say("admitAll")} act={() => session.admitAll(true)} close={() => setAsking(null)} />
      )}
      {asking === "end" && (
        <Ask question={say("endForAllAsk")} yes={say("endForAll")} act={() => session.endForAll()} close={() => setAsking(null)} />
      )}
    </Panel>
  );
}

function KnockRow({ session, knock }: { session: Session; knock: Knock }) {
  const { say, tag } = useLook();
  const { number, name, taken, compare } = knock;
  const words = compare.at === "shown" || compare.at === "same" ? compare.words : null;
  return (
    <li class="knock">
      <p class="knock-name"><bdi>{name}</bdi></p>
      {taken && <p class="wrong">{say("knockTaken")}</p>}
      {words && <Words words={words} list={listFor(tag)} />}
      <div role="status">
        {compare.at === "asked" && <p class="help">{say("compareWait")}</p>}
        {compare.at === "same" && <p class="help">{say("compareDone")}</p>}
        {compare.at === "failed" && <p class="wrong">{say(compare.usedUp ? "compareUsedUp" : "compareFailed")}</p>}
      </div>
      <div class="row">
        {compare.at === "shown" ? (
          <>
            <button type="button" class="button small" onClick={() => session.same(number)}>{say("compareSame")}</button>
            <button type="button" class="button small danger" onClick={() => session.different(number)}>{say("compareDifferent")}</button>
          </>
        ) : (
          <>
            <button type="button" class="button small main" aria-label={`${say("admit")}: ${name}`} onClick={() => session.admit(number)}>{say("admit")}</button>
            <button type="button" class="button small" aria-label={`${say("deny")}: ${name}`} onClick={() => session.deny(number)}>{say("deny")}</button>
            {(compare.at === "none" || (compare.at === "failed" && !compare.usedUp)) && (
              <button type="button" class="button small" aria-label={`${say("compareDo")}: ${name}`} onClick={() => session.compare(number)}>{say("compareDo")}</button>
            )}
          </>
        )}
      </div>
    </li>
  );
}
