import pc from 'picocolors';

/** What is needed of a stream to show something on it. */
export interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Colours for a screen: none unless it is a terminal and neither NO_COLOR nor a flag forbids them. */
export function coloursFor(screen: Screen) {
  return pc.createColors(screen.isTTY === true && pc.isColorSupported);
}
