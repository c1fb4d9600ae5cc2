// The page's icons, drawn here on a field of 24 by 24. They say nothing to screen readers: whoever uses
// one gives the words.
import type { ComponentChildren } from "preact";

function icon(paths: ComponentChildren) {
  return () => (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {paths}
    </svg>
  );
}

const slash = <path d="M4 4l16 16" />;

const microphone = (
  <>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
  </>
);
const camera = (
  <>
    <rect x="3" y="6.5" width="12" height="11" rx="2.5" />
    <path d="M15 11l6-3.5v9L15 13" />
  </>
);

export const MicrophoneIcon = icon(microphone);
export const MicrophoneOffIcon = icon(<>{microphone}{slash}</>);
export const CameraIcon = icon(camera);
export const CameraOffIcon = icon(<>{camera}{slash}</>);
export const ScreenIcon = icon(<><rect x="3" y="4" width="18" height="13" rx="2" /><path d="M12 14V8m-2.5 2.5L12 8l2.5 2.5M9 20.5h6" /></>);
export const HandIcon = icon(<path d="M8 12V6a1.5 1.5 0 0 1 3 0v5V4.5a1.5 1.5 0 0 1 3 0V11V6a1.5 1.5 0 0 1 3 0v8c0 4-2.4 6.5-6 6.5-3 0-4.4-1.5-5.6-4L4 13.2a1.4 1.4 0 0 1 2.4-1.4L8 14" />);
export const ChatIcon = icon(<path d="M4 5h16v11H11l-4.5 4v-4H4z" />);
export const PeopleIcon = icon(<><circle cx="9" cy="8.5" r="3.5" /><path d="M2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M15.5 5.4a3.3 3.3 0 0 1 0 6.3M18 14.6c2.1.9 3.5 2.8 3.5 5.4" /></>);
export const KeyIcon = icon(<><circle cx="8" cy="15.5" r="4" /><path d="M11 12.5L19.5 4M16 7.5l3 3" /></>);
export const LeaveIcon = icon(<path d="M14 4H6v16h8M10 12h11m-3.5-3.5L21 12l-3.5 3.5" />);
export const MoreIcon = icon(<><circle cx="5.5" cy="12" r="1" /><circle cx="12" cy="12" r="1" /><circle cx="18.5" cy="12" r="1" /></>);
export const PinIcon = icon(<path d="M9 3.5h6M10 3.5v6l-3 4h10l-3-4v-6M12 13.5V21" />);
export const LockIcon = icon(<><rect x="5" y="10.5" width="14" height="10" rx="2" /><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" /></>);
export const CloseIcon = icon(<path d="M5.5 5.5l13 13m0-13l-13 13" />);
export const NextIcon = icon(<path class="turns" d="M9 5l7 7-7 7" />);
export const BeforeIcon = icon(<path class="turns" d="M15 5l-7 7 7 7" />);
export const FullIcon = icon(<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5" />);
export const SmallIcon = icon(<><path d="M21 10V6a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h4" /><rect x="12.5" y="13" width="8.5" height="7" rx="1.5" /></>);
export const PlayIcon = icon(<path d="M7 4.5v15l12-7.5z" />);
export const SendIcon = icon(<path class="turns" d="M4 12L20.5 4.5 15 20l-3-6.5z" />);
export const WordsIcon = icon(<><path d="M12 3l7.5 3v5.5c0 4.6-3 8-7.5 9.5-4.5-1.5-7.5-4.9-7.5-9.5V6z" /><path d="M8.7 12l2.3 2.3 4.3-4.6" /></>);
export const AlertIcon = icon(<><path d="M12 4L2.8 19.5h18.4z" /><path d="M12 10v4.5M12 17v.2" /></>);
export const CopyIcon = icon(<><rect x="8" y="8" width="12" height="12" rx="2" /><path d="M16 8V6a2 2 0 0 0-2-2H6a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h2" /></>);
