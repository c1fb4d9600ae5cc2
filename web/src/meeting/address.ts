// The address bar: what stands behind the # is the key to a meeting, so it stands there no longer than it
// takes to read it, neither on the screen nor in the browser's history.

/** The whole link that this page was opened with, and `null` when it was opened without one. */
export function takeLink(): string | null {
  const { origin, pathname, search, hash } = location;
  if (hash.length < 2) return null;
  history.replaceState(null, "", pathname + search);
  return `${origin}${pathname}${hash}`;
}

/** Follows a link that is pasted into the address bar of this same page, which loads nothing anew. */
export function onLink(took: (link: string) => void): void {
  addEventListener("hashchange", () => {
    const link = takeLink();
    if (link) took(link);
  });
}
