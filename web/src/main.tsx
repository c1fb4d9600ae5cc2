// Where the page begins: the link is out of the address bar before anything else happens.
import { render } from "preact";
import { onLink, takeLink } from "./meeting/address.ts";
import { core } from "./meeting/core.ts";
import { LocalMedia } from "./media/local.ts";
import { App } from "./ui/app.tsx";

const link = takeLink();
const page = document.getElementById("page");
if (page) {
  render(<App core={core} link={link} onLink={onLink} makeLocal={() => new LocalMedia()} />, page);
}
