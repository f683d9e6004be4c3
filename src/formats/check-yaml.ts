import { UserError } from '../support/user-error.ts';

/** Limits on the nesting of lists and sections, and on keys and entries. */
const MOST = { depth: 64, entries: 8192 };

/** Too many lists or sections that begin on one line, as in `- - - a`. */
const MANY_BEGIN = new RegExp(`(?:[-?:][ \\t]+){${MOST.depth}}`);

/**
 * Rejects YAML that would take the parser all memory, or minutes, before it is parsed.
 *
 * @param where the file's name for messages
 * @param most entries
 * @throws UserError
 */
export function checkYaml(text: string, where: string, most = MOST.entries): void {
  const expected = `YAML of depth ${MOST.depth} and ${most} entries at most`;
  const refused = (got: string) => new UserError({ where, expected, got });
  let [depth, entries] = [0, 0];
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    else if (character === ',' || character === ':') entries++;
    if (depth > MOST.depth) throw refused('more within each other');
  }
  if (entries > most) throw refused('more');
  if (MANY_BEGIN.test(text)) throw refused('more within each other');
}
