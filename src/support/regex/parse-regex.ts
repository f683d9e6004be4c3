/** A part of a regular expression. */
export type RegexPart =
  | { kind: 'set'; set: CodePointSet }
  | { kind: 'assert'; holds: (text: string, at: number) => boolean }
  | { kind: 'look'; part: RegexPart; isAhead: boolean; isNegative: boolean }
  | { kind: 'sequence'; parts: RegexPart[] }
  | { kind: 'choice'; options: RegexPart[] }
  | { kind: 'repeat'; part: RegexPart; least: number; most: number; isLazy: boolean };

/** Maximum depth of groups. The deepest pattern of known models has four. */
const MAX_DEPTH = 100;

const GROUP = /\((?:\?(?:(<?)([=!])|:|<[\p{L}_$][\p{L}\p{N}_$]*>))?/uy;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})(\??)/y;
const REFERENCE = /\\(?:[1-9]|k<)/y;
const ATOM =
  /\[(?:[^\]\\]|\\[\s\S])*\]|\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-f]{4}|x[\da-f]{2}|c[a-z]|[\s\S])|[\s\S]/iuy;

/**
 * Parses a regular expression that `RegExp` accepts, with the flag `u` or without it.
 *
 * @throws Error for references to captures, which cannot be matched in linear time, and for deeply nested groups
 */
export function parseRegex(source: string): RegexPart {
  /** Sets by their source, because equal ones share what they have found out. */
  const sets = new Map<string, CodePointSet>();
  let at = 0;
  const taken = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match) at = pattern.lastIndex;
    return match;
  };
  const choice = (depth: number): RegexPart => {
    if (depth > MAX_DEPTH) throw new Error(`its groups are more than ${MAX_DEPTH} deep`);
    const options = [sequence(depth)];
    for (; source[at] === '|'; options.push(sequence(depth))) at++;
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  };
  const sequence = (depth: number): RegexPart => {
    const parts: RegexPart[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(repeated(depth));
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts };
  };
  const repeated = (depth: number): RegexPart => {
    const part = group(depth) ?? atom();
    const match = taken(QUANTIFIER);
    if (!match) return part;
    const [, sign, least, comma, most, lazy] = match;
    const isLazy = lazy !== '';
    if (sign)
      return { kind: 'repeat', part, least: Number(sign === '+'), most: sign === '?' ? 1 : Infinity, isLazy };
    const end = most ? Number(most) : Infinity;
    return { kind: 'repeat', part, least: Number(least), most: comma ? end : Number(least), isLazy };
  };
  const group = (depth: number): RegexPart | undefined => {
    const match = taken(GROUP);
    if (!match) return undefined;
    if (source[at] === '?') throw new Error(`the group ${source.slice(at - 1, at + 3)} is not supported`);
    const part = choice(depth + 1);
    at++;
    const [, behind, look] = match;
    return look ? { kind: 'look', part, isAhead: behind === '', isNegative: look === '!' } : part;
  };
  const atom = (): RegexPart => {
    if (taken(REFERENCE)) throw new Error('it refers to what a group matched');
    const [written] = taken(ATOM)!;
    const holds = ASSERTIONS[written];
    if (holds) return { kind: 'assert', holds };
    const set = sets.get(written) ?? new CodePointSet(written);
    sets.set(written, set);
    return { kind: 'set', set };
  };
  return choice(0);
}

/** Whether a part may match the empty text. */
export function isNullable(part: RegexPart): boolean {
  switch (part.kind) {
    case 'set':
      return false;
    case 'assert':
    case 'look':
      return true;
    case 'sequence':
      return part.parts.every(isNullable);
    case 'choice':
      return part.options.some(isNullable);
    case 'repeat':
      return part.least === 0 || isNullable(part.part);
  }
}

const isWord = (text: string, at: number) => /^\w$/.test(text[at] ?? '');
const isBoundary = (text: string, at: number) => isWord(text, at - 1) !== isWord(text, at);

const ASSERTIONS: Readonly<Record<string, (text: string, at: number) => boolean>> = {
  '^': (_, at) => at === 0,
  $: (text, at) => at === text.length,
  '\\b': isBoundary,
  '\\B': (text, at) => !isBoundary(text, at),
};

/** The code points of a class, an escape or a character. `RegExp` decides about each, and the answer is kept. */
export class CodePointSet {
  readonly #regex: RegExp;
  /** Answers for blocks of 256 code points: 0 if unknown, 1 if absent, 2 if present. */
  readonly #blocks: (Uint8Array | undefined)[] = [];

  constructor(source: string) {
    this.#regex = singleCharacter(source);
  }

  has(code: number): boolean {
    if (code < 0) return false;
    const known = this.#blocks[code >> 8]?.[code & 255];
    return known ? known === 2 : this.#ask(code);
  }

  #ask(code: number): boolean {
    const block = this.#blocks[code >> 8] ?? new Uint8Array(256);
    this.#blocks[code >> 8] = block;
    const isPresent = this.#regex.test(String.fromCodePoint(code));
    block[code & 255] = isPresent ? 2 : 1;
    return isPresent;
  }
}

/** Outside the flag `u`, characters may be escaped that need not be, and braces and brackets may stand alone. */
function singleCharacter(source: string): RegExp {
  try {
    return new RegExp(`^${source}$`, 'u');
  } catch {
    return new RegExp(`^${/^[\]{}]$/.test(source) ? `\\${source}` : source}$`);
  }
}
