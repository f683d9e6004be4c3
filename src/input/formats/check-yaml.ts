import { UserError } from '../../support/user-error.ts';

/** Maximum depth of lists and sections, and maximum number of keys and entries. */
const MAX = { depth: 64, entries: 8192 };

/** Matches a line that begins too many lists or sections, such as `- - - a`. */
const MANY_BEGIN = new RegExp(`(?:[-?:][ \\t]+){${MAX.depth}}`);

/**
 * Checks YAML before it is parsed, because for some texts the parser would need all memory, or minutes.
 *
 * @param where the file's name in messages
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
