import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readText } from '../formats/node/read-text.ts';
import { CONFIG_NAME } from './config-path.ts';

/** Two folders up from this file lies the package, from its source and from what is built of it alike. */
const STARTER = fileURLToPath(new URL('../../examples/starter', import.meta.url));

const NAMES = [CONFIG_NAME, 'train.tsv', 'validation.tsv'];

/**
 * What `adalora init` writes: a config in which every key stands, most with their defaults, and messages to a shop by
 * class, made up to be replaced. None of the rows to evaluate on is among those to train on.
 */
export function starterFiles(): { name: string; content: string }[] {
  return NAMES.map((name) => ({ name, content: readText(join(STARTER, name), 'a file of the package') }));
}
