// Language and colours, for as long as this tab is open: nothing of it is stored.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useState } from "preact/hooks";
import { LANGUAGES, isRtl, preferred, sayIn } from "../strings/index.ts";
import type { Tag } from "../strings/index.ts";
import type { Look, Theme } from "./hooks.ts";
import { LookContext, useLook } from "./hooks.ts";
import { Select } from "./parts.tsx";

export function WithLook({ children }: { children: ComponentChildren }) {
  const [tag, setTag] = useState<Tag>(() => preferred(navigator.languages));
  const [theme, setTheme] = useState<Theme>("auto");
  useLayoutEffect(() => {
    document.documentElement.lang = tag;
    document.documentElement.dir = isRtl(tag) ? "rtl" : "ltr";
  }, [tag]);
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const look = useMemo<Look>(() => ({ tag, say: sayIn(tag), theme, setTag, setTheme }), [tag, theme]);
  return <LookContext.Provider value={look}>{children}</LookContext.Provider>;
}

export function LookChoice({ hideLabels = false }: { hideLabels?: boolean }) {
  const { say, tag, theme, setTag, setTheme } = useLook();
  return (
    <div class="look">
      <Select
        label={say("language")}
        hideLabel={hideLabels}
        value={tag}
        set={setTag}
        options={LANGUAGES.map(({ tag, name }) => ({ value: tag, label: name, lang: tag }))}
      />
      <Select<Theme>
        label={say("theme")}
        hideLabel={hideLabels}
        value={theme}
        set={setTheme}
        options={[
          { value: "auto", label: say("themeAuto") },
          { value: "light", label: say("themeLight") },
          { value: "dark", label: say("themeDark") },
        ]}
      />
    </div>
  );
}
