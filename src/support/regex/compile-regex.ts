/** Maximum number of states. `(?:a{1,15}){1,15}` has about 500, the largest pattern of known models about 100. */
const MAX_STATES = 10_000;
/** Maximum number of parts when repetitions are written out. Some parts have no states. */
const MAX_PARTS = 10 * MAX_STATES;

/** The kinds of states. */
export const Does = {
  /** Reads a code point of a set. */
  READ: 0,
  /** Tries `next`, and then `other`. */
  SPLIT: 1,
  /** Requires that a part matches here, or that it does not. */
  LOOK: 2,
  /** Requires something of the position. */
  TEST: 3,
  /** Starts a round of a loop. */
  ENTER: 4,
  /** Requires that the round has read something. */
  CHECK: 5,
  /** Ends the pattern, or the part of a lookaround. */
  ACCEPT: 6,
} as const;

/** A state of a machine that searches. All states have the same fields, which makes the search faster. */
export class State {
  readonly does: (typeof Does)[keyof typeof Does];
  next: State | undefined;
  /** SPLIT: the state to try if `next` fails. LOOK: the first state of the part. */
  other!: State;
  set!: CodePointSet;
  holds!: (text: string, at: number) => boolean;
  /** READ: whether it reads backward. LOOK: whether the part must fail. */
  flag = false;
  /** ENTER and CHECK: the level of the loop. SPLIT: its index among the splits. */
  number = 0;

  constructor(does: State['does'], fields: Partial<State> = {}) {
    this.does = does;
    Object.assign(this, fields);
  }
}

export interface Machine {
  start: State;
  states: number;
  /** The number of SPLIT states. */
  splits: number;
  /** The depth of loops whose body may match the empty text. */
  levels: number;
}

/**
 * Compiles a regular expression to a machine. Bounded repetitions are written out.
 *
 * A round of a loop that matches the empty text fails, as in JavaScript. So a run has a level: the number of loops
 * around the current state whose round has read something. ENTER lowers it, CHECK fails below its own.
 *
 * @throws Error for references to groups, deeply nested groups, and too many states
 */
export function compileRegex(source: string): Machine {
  let parts = 0;
  let states = 0;
  let splits = 0;
  let levels = 0;

  const check = (count: number, most: number, what: string) => {
    if (count > most)
      throw new Error(`it has more than ${most} ${what} when its repetitions are written out`);
  };
  const stateOf = (does: State['does'], fields: Partial<State> = {}): State => {
    check(++states, MAX_STATES, 'states');
    return new State(does, fields);
  };
  const split = (next: State, other: State) => stateOf(Does.SPLIT, { next, other, number: splits++ });

  /** Returns the first state of a part that is followed by `next`. */
  const compile = (part: RegexPart, next: State, isBackward: boolean, level: number): State => {
    check(++parts, MAX_PARTS, 'parts');
    const before = (inner: RegexPart, after: State) => compile(inner, after, isBackward, level);
    switch (part.kind) {
      case 'set':
        return stateOf(Does.READ, { next, set: part.set, flag: isBackward });
      case 'assert':
        return stateOf(Does.TEST, { next, holds: part.holds });
      case 'look': {
        const other = compile(part.part, stateOf(Does.ACCEPT), !part.isAhead, 0);
        return stateOf(Does.LOOK, { next, other, flag: part.isNegative });
      }
      case 'sequence': {
        const inOrder = isBackward ? part.parts : part.parts.toReversed();
        return inOrder.reduce((after, inner) => before(inner, after), next);
      }
      case 'choice': {
        const options = part.options.map((option) => before(option, next));
        return options.reduceRight((rest, option) => split(option, rest));
      }
      case 'repeat': {
        const { part: body, least, most, isLazy } = part;
        const number = isNullable(body) ? level + 1 : level;
        levels = Math.max(levels, number);
        const optional = (after: State) => {
          if (number === level) return before(body, after);
          const end = stateOf(Does.CHECK, { next: after, number });
          return stateOf(Does.ENTER, { next: compile(body, end, isBackward, number), number });
        };
        let first = next;
        if (most === Infinity) {
          first = split(next, next);
          first[isLazy ? 'other' : 'next'] = optional(first);
        } else {
          for (let i = least; i < most; i++) {
            const copy = optional(first);
            first = isLazy ? split(next, copy) : split(copy, next);
          }
        }
        for (let i = 0; i < least; i++) first = before(body, first);
        return first;
      }
    }
  };
  const start = compile(parseRegex(source), stateOf(Does.ACCEPT), false, 0);
  return { start, states, splits, levels };
}

/** A part of a regular expression. */
type RegexPart =
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
function parseRegex(source: string): RegexPart {
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
function isNullable(part: RegexPart): boolean {
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
class CodePointSet {
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
