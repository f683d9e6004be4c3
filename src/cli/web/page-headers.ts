import { join } from 'node:path';
import { readText } from '../../formats/node/read-text.ts';
import type { PagePart } from './page-parts.ts';

/** The headers for serving the page, from its file `_headers`. Some static hosts also read this file. */
export function pageHeaders([{ folder }]: readonly PagePart[]): [name: string, value: string][] {
  const text = readText(join(folder, '_headers'), 'a file of the built page');
  return [...text.matchAll(/^ {2}([\w-]+): (.+)$/gm)].map(([, name, value]) => [name, value]);
}
