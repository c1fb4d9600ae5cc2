// The address bar: what stands behind the # is the key to a meeting, so it stands there no longer than it
// takes to read it: not on the screen, and not where going back leads. What was clicked the browser has written into
// its history by then (docs/web.md).

/** The whole link that this page was opened with, and `null` when it was opened without one. */
export function takeLink(): string | null {
  const { origin, pathname, hash, href } = location;
  if (hash.length < 2) return null;
  // Whole: a path of two slashes alone would be another origin's.
  history.replaceState(null, "", href.slice(0, -hash.length));
  return `${origin}${pathname}${hash}`;
}

/** Follows a link that is pasted into the address bar of this same page, which loads nothing anew. */
export function onLink(took: (link: string) => void): void {
  addEventListener("hashchange", () => {
    const link = takeLink();
    if (link) took(link);
  });
}
