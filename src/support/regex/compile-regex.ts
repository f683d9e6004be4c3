import { type CodePointSet, isNullable, parseRegex, type RegexPart } from './parse-regex.ts';

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
