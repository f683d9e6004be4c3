import pc from 'picocolors';

/** What is needed of a stream to show something on it. */
export interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Takes the cursor to the beginning of its line, and what stands there away. */
export const ERASE_LINE = '\r\x1b[2K';

/** Colours for a screen: none unless it is a terminal and neither NO_COLOR nor a flag forbids them. */
export function coloursFor(screen: Screen) {
  return pc.createColors(screen.isTTY === true && pc.isColorSupported);
}
