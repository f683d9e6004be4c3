import { once } from 'node:events';
import pc from 'picocolors';
import { printable } from '../../../support/text.ts';

/** Writes to standard output, and waits for its reader. */
export async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Tells something about the input on standard error. */
export function warn(message: string): void {
  console.error(printable(message));
}

/** The part of an output stream that a display needs. */
export interface Screen {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** Moves the cursor to the start of its line and erases the line. */
export const ERASE_LINE = '\r\x1b[2K';

/** Colors for a screen. They are off without a terminal, and if NO_COLOR or a flag forbids them. */
export function colorsFor(screen: Screen) {
  return pc.createColors(screen.isTTY === true && pc.isColorSupported);
}
