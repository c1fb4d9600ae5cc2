// The bar at the bottom: what one sends, what one opens, and the way out.
import type { Local, Person, Session, State } from "../meeting/model.ts";
import { useNarrow, useSay, useStore } from "./hooks.ts";
import {
  CameraIcon, CameraOffIcon, ChatIcon, HandIcon, KeyIcon, LeaveIcon, MicrophoneIcon, MicrophoneOffIcon, MoreIcon,
  PeopleIcon, ScreenIcon,
} from "./icons.tsx";
import { shortcut } from "./keys.ts";
import type { PanelName } from "./panel.tsx";
import { controlId } from "./panel.tsx";
import { IconButton } from "./parts.tsx";

interface ControlsProps {
  session: Session;
  state: State;
  local: Local;
  self: Person | undefined;
  panel: PanelName | null;
  unread: number;
  toggle: (panel: PanelName) => void;
  more: () => void;
  leave: () => void;
}

export function Controls(props: ControlsProps) {
  const { session, state, local, self, panel, toggle } = props;
  const say = useSay();
  const media = useStore(local);
  const narrow = useNarrow();
  const sends = !state.viewer;
  const open = (name: PanelName) => ({
    id: controlId(name),
    expanded: panel === name,
    look: panel === name ? ("on" as const) : ("plain" as const),
    onClick: () => toggle(name),
  });
  return (
    <footer class="controls">
      {sends && (
        <div class="control-group">
          <IconButton
            icon={media.microphone ? MicrophoneIcon : MicrophoneOffIcon}
            label={media.microphone ? say("microphoneOffDo") : say("microphoneOn")}
            words={media.microphone ? say("microphoneOffDo") : say("microphoneOn")}
            look={media.microphone ? "plain" : "off"}
            keys={shortcut("microphone")}
            onClick={() => void local.setMicrophone(!media.microphone)}
          />
          <IconButton
            icon={media.camera ? CameraIcon : CameraOffIcon}
            label={media.camera ? say("cameraOffDo") : say("cameraOn")}
            words={say("camera")}
            look={media.camera ? "plain" : "off"}
            keys={shortcut("camera")}
            onClick={() => void local.setCamera(!media.camera)}
          />
          {!narrow && (
            <IconButton
              icon={ScreenIcon}
              label={media.screen ? say("shareStop") : say("share")}
              words={media.screen ? say("shareStop") : say("share")}
              look={media.screen ? "on" : "plain"}
              keys={shortcut("screen")}
              onClick={() => void local.setScreen(!media.screen)}
            />
          )}
          {!(narrow && state.inTheChair) && (
            <IconButton
              icon={HandIcon}
              label={self?.hand ? say("handDown") : say("hand")}
              words={self?.hand ? say("handDown") : say("hand")}
              look={self?.hand ? "on" : "plain"}
              keys={shortcut("hand")}
              onClick={() => session.raiseHand(!self?.hand)}
            />
          )}
        </div>
      )}
      <div class="control-group">
        {!state.viewer && (
          <IconButton
            icon={ChatIcon}
            label={props.unread ? `${say("chat")}, ${say("unread", { count: props.unread })}` : say("chat")}
            words={say("chat")}
            badge={props.unread}
            keys={shortcut("chat")}
            {...open("chat")}
          />
        )}
        <IconButton
          icon={PeopleIcon}
          label={`${say("peopleShow")}, ${say("people", { count: state.people.length })}`}
          words={say("peopleShow")}
          keys={shortcut("people")}
          {...open("people")}
        />
        {state.inTheChair && (
          <IconButton
            icon={KeyIcon}
            label={state.knocks.length ? `${say("hostControl")}, ${say("knocks", { count: state.knocks.length })}` : say("hostControl")}
            words={say("hostControl")}
            badge={state.knocks.length}
            {...open("host")}
          />
        )}
        <IconButton icon={MoreIcon} label={say("more")} words={say("more")} onClick={props.more} />
      </div>
      <IconButton class="leave" icon={LeaveIcon} label={say("leave")} words={say("leave")} look="danger" onClick={props.leave} />
    </footer>
  );
}
