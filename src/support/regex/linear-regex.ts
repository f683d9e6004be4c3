import { compileRegex, Does, type Machine, State } from './compile-regex.ts';
import { type Effort, TooMuchEffort } from './effort.ts';

/** Maximum size of a search's table, in bytes. */
const MAX_CELLS = 2 ** 26;
/** Positions in a block of the table. */
const BLOCK = 256;
/** Steps of a search before it remembers states: per character, and in addition for any text. */
const PLAIN_STEPS = { character: 64, text: 10_000 };
/** The cost of a new state. It takes about 100 bytes. */
const STEPS_PER_STATE = 100;

/** The UTF-16 units [from, to) of a text. */
export interface Match {
  from: number;
  to: number;
}

/**
 * A regular expression whose search takes a time linear in the text: at most the text's length times the number of
 * states. `RegExp` may take exponential time, so patterns from files must not be given to it. The syntax is that of
 * JavaScript with the flag `u`, and the matches are the same.
 *
 * It backtracks like `RegExp`. If that takes many steps, it remembers which states failed at which positions, and does
 * not try them there again. So no state may depend on what a group captured: references to groups are rejected.
 */
export class LinearRegex {
  readonly #machine: Machine;
  readonly #effort: Effort;

  /**
   * @param effort what the regex may spend, together with others
   * @throws Error for a pattern that refers to groups or has too many states; TooMuchEffort
   */
  constructor(source: string, effort: Effort) {
    this.#machine = compileRegex(source);
    this.#effort = effort;
    effort.spend(STEPS_PER_STATE * this.#machine.states);
  }

  /** @throws TooMuchEffort */
  test(text: string): boolean {
    return !this.matches(text).next().done;
  }

  /**
   * All matches in a text, as `String.matchAll` finds them.
   *
   * @throws TooMuchEffort
   */
  *matches(text: string): Generator<Match, undefined> {
    const search = new Search(this.#machine, text, this.#effort);
    for (let from = 0; from <= text.length; ) {
      const to = search.endOfMatch(from);
      if (to >= 0) yield { from, to };
      from = to > from ? to : from + (codeAfter(text, from) > 0xffff ? 2 : 1);
    }
  }
}

const NO_MATCH = -1;
/** Returned by a run that took too many steps. */
const UNDECIDED = -2;

const ACCEPT = new State(Does.ACCEPT);

/** The table's entry for a split. */
const FAILED = 1;
const MATCHED = 2;

/** A search through one text. */
class Search {
  readonly #machine: Machine;
  readonly #text: string;
  readonly #effort: Effort;
  /** The cells of the table for one position: one for each split and level. */
  readonly #width: number;
  /** The table, in blocks. Undefined as long as nothing is remembered. */
  #table: Uint8Array[] | undefined;
  #cells = 0;
  #plainSteps: number;
  #left = 0;
  /** A stack of states to try if the current one fails. For each: position, level, and size of the path. */
  readonly #others: State[] = [];
  readonly #places: number[] = [];
  #size = 0;
  /** Inside a lookaround, the splits that led to the current state: position, and cell in its block. */
  readonly #path: number[] = [];
  #pathSize = 0;

  constructor(machine: Machine, text: string, effort: Effort) {
    this.#machine = machine;
    this.#text = text;
    this.#effort = effort;
    this.#width = machine.splits * (machine.levels + 1);
    this.#plainSteps = PLAIN_STEPS.text + PLAIN_STEPS.character * text.length;
  }

  /**
   * The end of the match that starts at a position, or a negative number.
   *
   * @throws TooMuchEffort
   */
  endOfMatch(from: number): number {
    let to = this.#attempt(from);
    if (to === UNDECIDED && !this.#table) {
      this.#table = [];
      to = this.#attempt(from);
    }
    if (to === UNDECIDED) this.#effort.spend(1); // Throws, because nothing is left.
    // The states that led to the match did not fail. The next match starts here, and may need them.
    if (to >= 0 && this.#table) {
      const first = (to % BLOCK) * this.#width;
      this.#block(this.#table, to).fill(0, first, first + this.#width);
    }
    return to;
  }

  #attempt(from: number): number {
    const most = this.#table ? this.#effort.left : Math.min(this.#effort.left, this.#plainSteps);
    this.#left = most;
    this.#size = 0;
    this.#pathSize = 0;
    const to = this.#run(this.#machine.start, from, false);
    const steps = most - this.#left;
    this.#effort.spend(steps);
    this.#plainSteps -= steps;
    return to;
  }

  /** Runs from a state to the end of the pattern, or of a lookaround's part, and returns the position there. */
  #run(start: State, from: number, isPart: boolean): number {
    const text = this.#text;
    const others = this.#others;
    const places = this.#places;
    const path = this.#path;
    const table = this.#table;
    const width = this.#width;
    const { levels } = this.#machine;
    const bottom = this.#size;
    const pathBottom = this.#pathSize;
    let size = bottom;
    let pathSize = pathBottom;
    let left = this.#left;
    let state = start;
    let at = from;
    let level = 0;
    for (;;) {
      if (--left < 0) {
        this.#left = 0;
        return UNDECIDED;
      }
      let next: State | undefined = state.next;
      switch (state.does) {
        case Does.READ: {
          const code = state.flag ? codeBefore(text, at) : codeAfter(text, at);
          const units = code > 0xffff ? 2 : 1;
          if (state.set.has(code)) at += state.flag ? -units : units;
          else next = undefined;
          level = levels;
          break;
        }
        case Does.SPLIT: {
          if (table) {
            const block = this.#block(table, at);
            const cell = (at % BLOCK) * width + state.number * (levels + 1) + level;
            const known = block[cell];
            if (known === FAILED) next = undefined;
            if (known === MATCHED) next = ACCEPT;
            if (known) break;
            block[cell] = FAILED;
            if (isPart) {
              path[pathSize++] = at;
              path[pathSize++] = cell;
            }
          }
          others[size] = state.other;
          places[3 * size] = at;
          places[3 * size + 1] = level;
          places[3 * size + 2] = pathSize;
          size++;
          break;
        }
        case Does.LOOK: {
          this.#left = left;
          this.#size = size;
          this.#pathSize = pathSize;
          const end = this.#run(state.other, at, true);
          if (end === UNDECIDED) return UNDECIDED;
          if ((end === NO_MATCH) !== state.flag) next = undefined;
          left = this.#left;
          break;
        }
        case Does.TEST:
          if (!state.holds(text, at)) next = undefined;
          break;
        case Does.ENTER:
          level = Math.min(level, state.number - 1);
          break;
        case Does.CHECK:
          if (level < state.number) next = undefined;
          break;
        case Does.ACCEPT:
          for (let i = pathBottom; i < pathSize; i += 2)
            this.#block(table!, path[i]!)[path[i + 1]!] = MATCHED;
          this.#left = left;
          return at;
      }
      if (next) {
        state = next;
        continue;
      }
      if (size === bottom) {
        this.#left = left;
        return NO_MATCH;
      }
      size--;
      state = others[size]!;
      at = places[3 * size]!;
      level = places[3 * size + 1]!;
      pathSize = places[3 * size + 2]!;
    }
  }

  /** The table's block with a position. */
  #block(table: Uint8Array[], at: number): Uint8Array {
    const index = Math.floor(at / BLOCK);
    const known = table[index];
    if (known) return known;
    this.#cells += BLOCK * this.#width;
    if (this.#cells > MAX_CELLS) throw new TooMuchEffort('needs more memory than allowed');
    const block = new Uint8Array(BLOCK * this.#width);
    table[index] = block;
    return block;
  }
}

/** The code point that starts at a position, or -1. */
function codeAfter(text: string, at: number): number {
  return at < text.length ? text.codePointAt(at)! : -1;
}

/** The code point that ends at a position, or -1. */
function codeBefore(text: string, at: number): number {
  if (at === 0) return -1;
  const unit = text.charCodeAt(at - 1);
  if ((unit & 0xfc00) !== 0xdc00 || at === 1) return unit;
  const pair = text.codePointAt(at - 2)!;
  return pair > 0xffff ? pair : unit;
}
