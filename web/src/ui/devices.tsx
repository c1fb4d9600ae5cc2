// Choosing and changing what this device sends: in the preview, and again inside the meeting.
import type { Background, DeviceTrouble, Local } from "../meeting/model.ts";
import type { PlainKey } from "../strings/index.ts";
import { useSay, useStore } from "./hooks.ts";
import { AlertIcon, CameraIcon, CameraOffIcon, MicrophoneIcon, MicrophoneOffIcon } from "./icons.tsx";
import { Choice, IconButton, Meter, Select, Switch } from "./parts.tsx";

const CAMERA: Record<DeviceTrouble, PlainKey> = {
  denied: "cameraDenied",
  "in-use": "cameraInUse",
  none: "cameraNone",
  failed: "cameraFailed",
};
const MICROPHONE: Record<DeviceTrouble, PlainKey> = {
  denied: "microphoneDenied",
  "in-use": "microphoneInUse",
  none: "microphoneNone",
  failed: "microphoneFailed",
};

/** What is the matter with devices, each with what to do about it. */
export function Troubles({ local }: { local: Local }) {
  const say = useSay();
  const { cameraTrouble, microphoneTrouble, screenTrouble, fileTrouble } = useStore(local);
  const keys: PlainKey[] = [];
  if (microphoneTrouble) keys.push(MICROPHONE[microphoneTrouble]);
  if (cameraTrouble) keys.push(CAMERA[cameraTrouble]);
  if (screenTrouble) keys.push("screenFailed");
  if (fileTrouble) keys.push("fileFailed");
  return (
    <div role="status" class="troubles">
      {keys.map((key) => (
        <p key={key} class="trouble">
          <AlertIcon />
          <span>{say(key)}</span>
        </p>
      ))}
    </div>
  );
}

/** Microphone and camera on and off, before one is in. */
export function DeviceButtons({ local }: { local: Local }) {
  const say = useSay();
  const media = useStore(local);
  return (
    <>
      <IconButton
        icon={media.microphone ? MicrophoneIcon : MicrophoneOffIcon}
        label={media.microphone ? say("microphoneOffDo") : say("microphoneOn")}
        look={media.microphone ? "on" : "off"}
        onClick={() => void local.setMicrophone(!media.microphone)}
      />
      <IconButton
        icon={media.camera ? CameraIcon : CameraOffIcon}
        label={media.camera ? say("cameraOffDo") : say("cameraOn")}
        look={media.camera ? "on" : "off"}
        onClick={() => void local.setCamera(!media.camera)}
      />
    </>
  );
}

export function Devices({ local, meter = false }: { local: Local; meter?: boolean }) {
  const say = useSay();
  const state = useStore(local);
  const named = (label: string, at: number) => label || say("deviceNumber", { number: at + 1 });
  const usual = { value: "", label: say("deviceDefault") };
  const options = (devices: readonly { id: string; label: string }[]) =>
    devices.length ? devices.map(({ id, label }, at) => ({ value: id, label: named(label, at) })) : [usual];
  return (
    <div class="devices">
      <Select
        label={say("microphone")}
        value={state.microphoneId ?? ""}
        options={options(state.microphones)}
        set={(id) => id && void local.chooseMicrophone(id)}
      />
      {meter && <Meter label={say("level")} read={() => local.level()} />}
      <Select
        label={say("camera")}
        value={state.cameraId ?? ""}
        options={options(state.cameras)}
        set={(id) => id && void local.chooseCamera(id)}
      />
      <Switch
        label={say("disguise")}
        help={say("disguiseHelp")}
        on={state.disguise}
        set={(on) => void local.setDisguise(on)}
      />
      <Choice<Background>
        label={say("background")}
        value={state.background}
        set={(background) => void local.setBackground(background)}
        options={[
          { value: "plain", label: say("backgroundPlain") },
          { value: "blur", label: say("backgroundBlur"), help: say("backgroundBlurHelp") },
          { value: "veil", label: say("backgroundVeil"), help: say("backgroundVeilHelp") },
        ]}
      />
    </div>
  );
}
