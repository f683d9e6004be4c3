import { join } from 'node:path';
import { readText } from '../../formats/node/read-text.ts';
import type { PagePart } from './page-parts.ts';

/** The headers for serving the page. They come from its file `_headers`, which some static hosts also read. */
export function pageHeaders([{ folder }]: readonly PagePart[]): [name: string, value: string][] {
  const text = readText(join(folder, '_headers'), 'a file of the built page');
  return [...text.matchAll(/^ {2}([\w-]+): (.+)$/gm)].map(([, name, value]) => [name, value]);
}
