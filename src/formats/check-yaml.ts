import { UserError } from '../support/user-error.ts';

/** Limits on the nesting of lists and sections, and on keys and entries. */
const MAX = { depth: 64, entries: 8192 };

/** Matches too many lists or sections that begin on one line, such as `- - - a`. */
const MANY_BEGIN = new RegExp(`(?:[-?:][ \\t]+){${MAX.depth}}`);

/**
 * Rejects YAML for which the parser would need all memory, or minutes. It is checked before it is parsed.
 *
 * @param where the file's name for messages
 * @param most maximum number of entries
 * @throws UserError
 */
export function checkYaml(text: string, where: string, most = MAX.entries): void {
  const tooDeep = () => new UserError({ where, fault: `is YAML nested deeper than ${MAX.depth} levels` });
  let [depth, entries] = [0, 0];
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    else if (character === ',' || character === ':') entries++;
    if (depth > MAX.depth) throw tooDeep();
  }
  if (entries > most) throw new UserError({ where, fault: `is YAML with more than ${most} entries` });
  if (MANY_BEGIN.test(text)) throw tooDeep();
}
