// Every state that is looked at: its name, the scene it begins in, and what is clicked to get there.

const inMeeting = (name, scene, act) => ({ name, scene, act });
const press = (label) => (page) => page.getByRole("button", { name: label }).first().click();

const waiting = ["connecting", "asking", "host-not-here", "waiting", "locked", "full", "compare"];
const problems = [
  "link-incomplete", "link-version", "no-webtransport", "no-webcodecs", "insecure", "no-core", "unreachable",
  "wrong-certificate", "clock-wrong", "room-full", "relay-full", "pass", "version", "too-slow", "lost", "fault",
  "denied", "removed", "in-use", "ended", "left",
];

export const states = [
  { name: "start", link: false },
  {
    name: "start-more",
    link: false,
    act: async (page) => {
      await page.getByText("More choices").click();
      await page.getByLabel("Relay", { exact: true }).fill("nonsense");
      await page.getByRole("button", { name: "Make the links" }).click();
      await page.getByText("This is not a relay's address").waitFor();
    },
  },
  {
    name: "links-made",
    link: false,
    act: async (page) => {
      await page.getByRole("button", { name: "Make the links" }).click();
      await page.getByRole("heading", { name: "Your links" }).waitFor();
    },
  },
  { name: "preview", scene: "preview", act: (page) => page.locator("video").waitFor() },
  { name: "preview-host", scene: "preview-host", act: (page) => page.locator("video").waitFor() },
  {
    name: "preview-off",
    scene: "preview-cohost",
    act: async (page) => {
      await page.locator("video").waitFor();
      await page.getByRole("button", { name: "Turn everything off" }).click();
      await page.getByRole("button", { name: "Ask to join" }).or(page.getByRole("button", { name: "Join" })).first().click();
      await page.getByText("Write a name").waitFor();
    },
  },
  {
    name: "preview-blur",
    scene: "preview",
    act: async (page) => {
      await page.locator("video").waitFor();
      await page.getByRole("radio", { name: /Blur/ }).click();
      await page.getByRole("switch", { name: /Disguise/ }).click();
      await page.waitForTimeout(500);
    },
  },
  {
    name: "preview-veil",
    scene: "preview",
    act: async (page) => {
      await page.locator("video").waitFor();
      await page.getByRole("radio", { name: /Veil/ }).click();
      await page.waitForTimeout(500);
    },
  },
  { name: "preview-vigil", scene: "preview-vigil" },
  { name: "devices-denied", scene: "preview", refuse: "NotAllowedError", act: (page) => page.getByText("does not let").first().waitFor() },
  { name: "devices-in-use", scene: "preview", refuse: "NotReadableError", act: (page) => page.getByText("Another program").first().waitFor() },
  { name: "devices-none", scene: "preview", refuse: "NotFoundError", act: (page) => page.getByText("No camera").waitFor() },
  ...waiting.map((name) => ({ name: `knocking-${name}`, scene: `knocking-${name}` })),
  ...problems.map((name) => ({ name: `ended-${name}`, scene: `ended-${name}` })),
  ...["1", "2", "4", "9", "25", "49", "120"].map((count) => inMeeting(`meeting-${count}`, `meeting-${count}`)),
  inMeeting("screen", "screen"),
  inMeeting("pinned", "meeting-9", async (page) => {
    await page.getByRole("button", { name: /^Pin .*Tenzin/ }).focus();
    await page.keyboard.press("Enter");
  }),
  inMeeting("camera-on", "meeting-4", async (page) => {
    await press("Turn camera on")(page);
    await page.locator("video").waitFor();
  }),
  inMeeting("chat", "meeting-9", press(/^Chat/)),
  inMeeting("chat-empty", "meeting-2", press(/^Chat/)),
  inMeeting("people", "meeting-25", press(/^People/)),
  inMeeting("words", "meeting-4", async (page) => {
    await press("Verification words")(page);
    await page.getByText("harbour").waitFor();
  }),
  inMeeting("more", "meeting-4", press("More")),
  inMeeting("stale", "stale"),
  inMeeting("stopped", "stopped"),
  inMeeting("told", "told"),
  inMeeting("host", "host", press(/^Host/)),
  inMeeting("host-knocks", "host"),
  inMeeting("host-one-knock", "host-one-knock"),
  inMeeting("host-all", "host-all", press(/^Host/)),
  inMeeting("host-leaves", "host-one-knock", press("Leave")),
  inMeeting("host-removes", "host-one-knock", async (page) => {
    await press(/^People/)(page);
    await page.getByRole("button", { name: /^Remove: Tenzin/ }).click();
  }),
  inMeeting("vigil-speaker", "vigil-speaker"),
  inMeeting("vigil-viewer", "vigil-viewer"),
];

export function address(origin, { scene, refuse, link = true }) {
  const query = new URLSearchParams();
  if (scene) query.set("scene", scene);
  if (refuse) query.set("refuse", refuse);
  return `${origin}/?${query}${link ? "#made-up" : ""}`;
}
