// What people should know now. What lasts stands as a banner for as long as it is so; what happened once is
// said once, and what asks for an act stays until it is closed.
import { useEffect, useState } from "preact/hooks";
import type { Notice, Session, State } from "../meeting/model.ts";
import type { Say } from "../strings/index.ts";
import { useSay } from "./hooks.ts";
import { AlertIcon, CloseIcon } from "./icons.tsx";
import { IconButton } from "./parts.tsx";

export function Banners(props: { session: Session; state: State; showHost: (() => void) | null }) {
  const say = useSay();
  const { session, state, showHost } = props;
  const [knock] = state.knocks;
  return (
    <section class="banners" aria-label={say("notices")}>
      {state.kind.startsWith("vigil") && <p class="banner note"><AlertIcon /><span>{say("vigilNotice")}</span></p>}
      <div role="alert">
        {state.chair === "stale" && <p class="banner warn"><AlertIcon /><span>{say("chairStale")}</span></p>}
        {state.chair === "stopped" && <p class="banner warn"><AlertIcon /><span>{say("chairStopped")}</span></p>}
        {state.line === "lost" && <p class="banner warn"><AlertIcon /><span>{say("lineLost")}</span></p>}
        {state.line === "poor" && <p class="banner note"><AlertIcon /><span>{say("linePoor")}</span></p>}
      </div>
      {knock && showHost && (
        <div class="banner knocking">
          <span role="status">
            <strong>{say("knocks", { count: state.knocks.length })}</strong> <bdi>{knock.name}</bdi>
          </span>
          <span class="row">
            {state.knocks.length === 1 && !knock.taken && (
              <>
                <button type="button" class="button small main" aria-label={`${say("admit")}: ${knock.name}`} onClick={() => session.admit(knock.number)}>{say("admit")}</button>
                <button type="button" class="button small" aria-label={`${say("deny")}: ${knock.name}`} onClick={() => session.deny(knock.number)}>{say("deny")}</button>
              </>
            )}
            <button type="button" class="button small" onClick={showHost}>{say("knockShow")}</button>
          </span>
        </div>
      )}
    </section>
  );
}

function text(notice: Notice, say: Say): string {
  switch (notice.kind) {
    case "asked-quiet": return say("noticeAskedQuiet");
    case "joined": return say("noticeJoined", { name: notice.name });
    case "left": return say("noticeLeft", { name: notice.name });
    case "removed": return say("noticeRemoved", { name: notice.name });
    case "forged": return say("noticeForged", { name: notice.name });
    case "unsigned": return say("noticeUnsigned", { name: notice.name });
    case "reported": return say("noticeReported", { name: notice.name, rank: notice.rank });
    case "new-link": return say("noticeNewLink");
    case "chair-mine": return say("noticeChairMine");
    case "chair-gone": return say("noticeChairGone");
    case "uplink-slow": return say("noticeUplinkSlow");
    case "sound-unsent": return say("noticeSoundUnsent");
    case "picture-unsent": return say("noticePictureUnsent");
    case "no-sound": return say("noticeNoSound");
    case "chat-unsure": return say("noticeChatUnsure");
  }
}

/** Those that nobody misses when they pass. */
const PASSING: readonly Notice["kind"][] = ["joined", "left", "chair-mine", "chair-gone"];
const PASS_AFTER_MS = 7000;
const MOST = 3;

export function Toasts({ state }: { state: State }) {
  const say = useSay();
  const [gone, setGone] = useState<ReadonlySet<number>>(new Set());
  const drop = (id: number) => setGone((before) => new Set(before).add(id));
  const shown = state.told.filter(({ id }) => !gone.has(id)).slice(-MOST);
  return (
    <div class="toasts" role="log" aria-label={say("notices")}>
      {shown.map(({ id, notice }) => (
        <Toast key={id} text={text(notice, say)} passes={PASSING.includes(notice.kind)} close={() => drop(id)} />
      ))}
    </div>
  );
}

function Toast({ text, passes, close }: { text: string; passes: boolean; close: () => void }) {
  const say = useSay();
  useEffect(() => {
    if (!passes) return;
    const timer = setTimeout(close, PASS_AFTER_MS);
    return () => clearTimeout(timer);
  }, [passes]);
  return (
    <div class="toast">
      <span>{text}</span>
      <IconButton icon={CloseIcon} label={say("close")} onClick={close} />
    </div>
  );
}
