// How tiles fill a field: how many on a page, in how many columns, how large.

export interface Fit {
  readonly columns: number;
  readonly perPage: number;
  readonly pages: number;
  readonly width: number;
  readonly height: number;
}

/** Tiles of one page at most: more faces than this nobody can tell apart, and no device decodes. */
export const MOST = 49;
/** A face in a smaller tile is no longer known, and its buttons no longer met by a finger. */
const NARROWEST = 128;
const SHORTEST = 90;
/** From a wide picture to an upright one: faces stay in it when it is cut to either. */
const WIDEST = 16 / 9;
const TALLEST = 3 / 4;

interface Grid {
  readonly columns: number;
  readonly width: number;
  readonly height: number;
}

const fair = ({ width, height }: Grid): boolean => width >= NARROWEST && height >= SHORTEST;

/** The largest tiles of which none is too small; where there are none, the largest. */
function best(count: number, width: number, height: number, gap: number): Grid {
  let found: Grid = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (width - gap * (columns - 1)) / columns;
    const cellHeight = (height - gap * (rows - 1)) / rows;
    if (cellWidth <= 0 || cellHeight <= 0) continue;
    const tileWidth = Math.min(cellWidth, cellHeight * WIDEST);
    const tileHeight = Math.min(cellHeight, tileWidth / TALLEST);
    const grid = { columns, width: Math.floor(tileWidth), height: Math.floor(tileHeight) };
    if (fair(found) && !fair(grid)) continue;
    if ((fair(grid) && !fair(found)) || grid.width * grid.height > found.width * found.height) found = grid;
  }
  return found;
}

/** `count` tiles in a field of this size, in as few pages as leave each tile large enough. */
export function fit(count: number, width: number, height: number, gap: number): Fit {
  let perPage = Math.max(1, Math.min(count, MOST));
  while (perPage > 1) {
    if (fair(best(perPage, width, height, gap))) break;
    perPage--;
  }
  const pages = Math.max(1, Math.ceil(count / perPage));
  // As many on each page as on the others, so that the last one is no lonely tile.
  perPage = Math.max(1, Math.ceil(count / pages));
  return { ...best(perPage, width, height, gap), perPage, pages };
}
