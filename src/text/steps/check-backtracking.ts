/** A part of a pattern, and the range of its repetitions. */
interface Item {
  /** The part's source. For a group, it is the group's content. */
  source: string;
  branches?: Item[][];
  least: number;
  most: number;
}

/** From this number on, a repetition counts as unbounded. */
const MANY = 16;
/**
 * Maximum number of adjacent repetitions. GPT-4o's pattern has two. Each repetition multiplies the time by the length of
 * the text. The search for the start of a match does so too, so the worst case is cubic.
 */
const MAX_IN_A_ROW = 2;

/**
 * Checks that a regular expression cannot take exponential time. Patterns come with models and may be hostile. A
 * repeated group must match in only one way. That is the case if no part of it varies.
 *
 * @throws Error for nested repetitions, or too many adjacent ones
 */
export function checkBacktracking({ source }: RegExp): void {
  for (const branch of parse(source)) {
    checkGroups(branch, source);
    if (repetitions(branch) > MAX_IN_A_ROW)
      throw new Error(`the pattern ${source} has more than ${MAX_IN_A_ROW} repetitions in a row`);
  }
}

function checkGroups(items: readonly Item[], pattern: string): void {
  for (const { branches, most } of items) {
    if (!branches) continue;
    if (most >= MANY && (branches.some(varies) || !areApart(branches)))
      throw new Error(`the pattern ${pattern} nests repetitions, so matching could take exponential time`);
    for (const branch of branches) checkGroups(branch, pattern);
  }
}

function repetitions(items: readonly Item[]): number {
  return items.reduce((sum, { branches = [], most }) => {
    const inside = Math.max(0, ...branches.map(repetitions));
    return sum + inside + Number(most >= MANY);
  }, 0);
}

/**
 * Whether a text may be matched in more than one way. An optional part does not vary if what follows it cannot match
 * the same characters.
 */
function varies(items: readonly Item[]): boolean {
  return items.some(({ source, branches, least, most }, i) => {
    if (branches && (branches.length > 1 || branches.some(varies))) return true;
    if (least === most) return false;
    const next = items[i + 1];
    const isOptional = least === 0 && most === 1 && !branches && next && !next.branches && next.least > 0;
    return !isOptional || !areDisjoint(source, next.source);
  });
}

/** Whether all branches are single characters that exclude each other. */
function areApart(branches: readonly (readonly Item[])[]): boolean {
  if (branches.length === 1) return true;
  if (branches.some((items) => items.length !== 1 || items[0]!.branches || items[0]!.most !== 1))
    return false;
  return branches.every(([a], i) => branches.slice(i + 1).every(([b]) => areDisjoint(a!.source, b!.source)));
}

function areDisjoint(a: string, b: string): boolean {
  const [one, other] = [a, b].map((source) => new RegExp(`^(?:${source})$`, 'u')) as [RegExp, RegExp];
  for (let code = 0; code < 2 ** 16; code++) {
    const character = String.fromCharCode(code);
    if (one.test(character) && other.test(character)) return false;
  }
  return true;
}

const GROUP = /\((?:\?(?:<?[=!]|<\w+>|[a-z-]*:))?/y;
const ATOM =
  /\[(?:[^\]\\]|\\[\s\S])*\]|\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-f]{4}|x[\da-f]{2}|[\s\S])|[\s\S]/iuy;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y;

/** Parses a pattern into branches. The engine must have accepted it. */
function parse(source: string): Item[][] {
  let at = 0;
  const taken = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match) at = pattern.lastIndex;
    return match;
  };
  const branches = (): Item[][] => {
    const made: Item[][] = [[]];
    while (at < source.length && source[at] !== ')') {
      if (source[at] === '|') {
        at++;
        made.push([]);
        continue;
      }
      const start = at;
      const inside = taken(GROUP) ? branches() : undefined;
      if (inside) at++;
      else taken(ATOM);
      const item = { source: source.slice(start, at), ...(inside && { branches: inside }) };
      const [, sign, least, comma, most] = taken(QUANTIFIER) ?? [];
      made[made.length - 1]!.push({ ...item, ...bounds(sign, least, comma, most) });
    }
    return made;
  };
  return branches();
}

function bounds(sign?: string, least?: string, comma?: string, most?: string): Pick<Item, 'least' | 'most'> {
  if (sign) return { least: Number(sign === '+'), most: sign === '?' ? 1 : Infinity };
  if (least === undefined) return { least: 1, most: 1 };
  return { least: Number(least), most: comma ? (most ? Number(most) : Infinity) : Number(least) };
}
