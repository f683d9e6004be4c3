import { largest, smallest } from '../../support/numbers.ts';
import { UserError } from '../../support/user-error.ts';
import { type At, compileFormat, nameFormat, type ResponseFormat, type Sym } from './json-grammar.ts';
import type { LogitsProcessor, RowLimits } from './logits-processors.ts';

/** A symbol that is being written, and what follows it. Equal frames are one object. */
interface Frame {
  id: number;
  sym: Sym;
  at: At;
  next: Frame | undefined;
  /** The fewest bytes that complete the text. */
  least: number;
}

/** The ways in which a text can go on. */
interface State {
  /** At terminals. */
  frames: readonly Frame[];
  isWhole: boolean;
  least: number;
  after: Map<number, State | undefined>;
}

/** The tokens that may follow, and the fewest bytes that complete the text after each. */
interface Mask {
  tokens: Int32Array;
  least: Int32Array;
  /** The largest of `least`. */
  most: number;
}

/** Limits of an automaton's memory: frames in its states, and tokens in its masks. When it is full, it starts again. */
const MAX_FRAMES = 500_000;
const MAX_MASKED = 2 ** 22;
/** Limit of the steps of frames for a mask, each at most some microseconds. A string takes about 256 for each length of a token. */
const MAX_READ = 2 ** 18;
/** Maximum ways of one state. Alternatives that begin alike are followed together. */
const MAX_WAYS = 512;
/** Bytes that may be left open in addition to the shortest text, which limits the depth. */
const MAX_OPEN = 1000;

/** The states of a grammar, computed when they are needed. */
class Automaton {
  readonly #grammar: Sym;
  #frames = new Map<string, Frame>();
  #states = new Map<string, State>();
  #masks = new Map<string, Mask>();
  #start: State | undefined;
  #count = 0;
  #kept = 0;
  #masked = 0;
  #read = 0;

  constructor(grammar: Sym) {
    this.#grammar = grammar;
  }

  start(): State {
    this.#start ??= this.#state([this.#frame(this.#grammar, this.#grammar.start, undefined)]);
    return this.#start;
  }

  /** The state after a byte. Undefined if the byte does not fit. */
  read(state: State, byte: number): State | undefined {
    const known = state.after.get(byte);
    if (known || state.after.has(byte)) return known;
    this.#read += state.frames.length;
    if (this.#read > MAX_READ) throw tooManyWays();
    const frames = state.frames.flatMap(({ sym, at, next }) => {
      const after = sym.read!(at, byte);
      return after === undefined ? [] : [this.#frame(sym, after, next)];
    });
    const after = frames.length === 0 ? undefined : this.#state(frames);
    const possible = after && after.least < Number.POSITIVE_INFINITY ? after : undefined;
    state.after.set(byte, possible);
    return possible;
  }

  readAll(state: State, bytes: Uint8Array): State | undefined {
    let now: State | undefined = state;
    for (let i = 0; i < bytes.length && now; i++) now = this.read(now, bytes[i]!);
    return now;
  }

  mask(state: State, { root, longest }: Vocabulary): Mask {
    this.#read = 0;
    if (this.#kept > MAX_FRAMES || this.#masked > MAX_MASKED) {
      for (const map of [this.#frames, this.#states, this.#masks]) map.clear();
      this.#start = undefined;
      this.#kept = 0;
      this.#masked = 0;
    }
    const key = state.frames
      .map(({ sym, at, next }) => `${sym.id} ${sym.alike(at, longest)} ${next?.id}`)
      .sort()
      .join();
    const known = this.#masks.get(key);
    if (known) return known;
    const tokens: number[] = [];
    const least: number[] = [];
    const open: [Branch, State][] = [[root, state]];
    for (let one = open.pop(); one; one = open.pop()) {
      const [branch, at] = one;
      for (const [byte, next] of branch.next) {
        const after = this.read(at, byte);
        if (!after) continue;
        for (const token of next.tokens) {
          tokens.push(token);
          least.push(after.least);
        }
        open.push([next, after]);
      }
    }
    const mask = { tokens: Int32Array.from(tokens), least: Int32Array.from(least), most: largest(least) };
    this.#masked += tokens.length;
    this.#masks.set(key, mask);
    return mask;
  }

  #frame(sym: Sym, at: At, next: Frame | undefined): Frame {
    const key = `${sym.id} ${at} ${next?.id}`;
    const known = this.#frames.get(key);
    if (known) return known;
    const frame = { id: this.#count++, sym, at, next, least: sym.least(at) + (next?.least ?? 0) };
    this.#frames.set(key, frame);
    return frame;
  }

  /** Follows frames to their terminals. */
  #state(begun: readonly Frame[]): State {
    const seen = new Set<Frame | undefined>();
    const open: (Frame | undefined)[] = [...begun];
    const most = this.#grammar.fewest + MAX_OPEN;
    while (open.length > 0) {
      const frame = open.pop();
      if (seen.has(frame) || (frame?.least ?? 0) > most) continue;
      seen.add(frame);
      if (seen.size > MAX_WAYS) throw tooManyWays();
      if (!frame) continue;
      const { sym, at, next } = frame;
      if (sym.ends(at)) open.push(next);
      for (const way of sym.ways?.(at) ?? []) {
        const then = way.at === undefined ? next : this.#frame(sym, way.at, next);
        open.push(this.#frame(way.first, way.first.start, then));
      }
    }
    const all = [...seen];
    const frames = all.filter((frame) => frame?.sym.read !== undefined) as Frame[];
    frames.sort((a, b) => a.id - b.id);
    const isWhole = seen.has(undefined);
    const key = `${isWhole} ${frames.map(({ id }) => id).join()}`;
    const known = this.#states.get(key);
    if (known) return known;
    const state = {
      frames,
      isWhole,
      least: isWhole ? 0 : smallest(frames.map(({ least }) => least)),
      after: new Map(),
    };
    this.#kept += frames.length;
    this.#states.set(key, state);
    return state;
  }
}

function tooManyWays(): UserError {
  return new UserError({
    where: 'the schema',
    fault: `has more than ${MAX_WAYS} alternatives that begin alike, or costly ones`,
    hint: 'Give the alternatives different first properties, or nest fewer of them.',
    code: 'invalid_argument',
  });
}

/** Tokens by their bytes. */
interface Branch {
  next: Map<number, Branch>;
  tokens: number[];
}

interface Vocabulary {
  root: Branch;
  longest: number;
  /** Automata by format, the oldest first. */
  automata: Map<string, Automaton>;
}

const MAX_AUTOMATA = 4;
const vocabularies = new WeakMap<TokenBytes, Vocabulary>();

/** The bytes that each token writes. Undefined for special tokens. */
type TokenBytes = readonly (Uint8Array | undefined)[];

function readVocabulary(bytes: TokenBytes): Vocabulary {
  const known = vocabularies.get(bytes);
  if (known) return known;
  const root: Branch = { next: new Map(), tokens: [] };
  let longest = 0;
  bytes.forEach((written, token) => {
    if (!written || written.length === 0) return;
    longest = Math.max(longest, written.length);
    let branch = root;
    for (const byte of written) {
      const next = branch.next.get(byte) ?? { next: new Map(), tokens: [] };
      branch.next.set(byte, next);
      branch = next;
    }
    branch.tokens.push(token);
  });
  const made = { root, longest, automata: new Map() };
  vocabularies.set(bytes, made);
  return made;
}

function findAutomaton(format: ResponseFormat, { automata }: Vocabulary): Automaton {
  const key = nameFormat(format);
  const automaton = automata.get(key) ?? new Automaton(compileFormat(format));
  automata.delete(key);
  automata.set(key, automaton);
  if (automata.size > MAX_AUTOMATA) automata.delete(automata.keys().next().value!);
  return automaton;
}

/**
 * Keeps the rows of a batch to a format, each with a state of its own. Near the maximum length, only tokens remain
 * that leave room to complete the text, if each of its last bytes is a token.
 *
 * @param ends the end tokens
 * @throws UserError for a schema that cannot be kept, or a model without an end token
 */
export function constrain(
  format: ResponseFormat,
  bytes: TokenBytes,
  ends: readonly number[],
): (limits: RowLimits) => LogitsProcessor {
  const vocabulary = readVocabulary(bytes);
  const automaton = findAutomaton(format, vocabulary);
  const start = automaton.start();
  if (ends.length === 0)
    throw new UserError({
      where: 'response_format',
      fault: 'needs a token that ends a text, and the model has none',
      hint: 'Set eos_token_id.',
      code: 'invalid_argument',
    });
  return ({ begun, most }) => {
    const rows = new WeakMap<readonly number[], { length: number; state: State | undefined }>();
    return (scores, tokens) => {
      const row = rows.get(tokens) ?? { length: begun, state: start };
      rows.set(tokens, row);
      for (; row.length < tokens.length && row.state; row.length++)
        row.state = automaton.readAll(row.state, bytes[tokens[row.length]!] ?? new Uint8Array());
      // A beam that was continued although nothing fits it is lost already.
      if (!row.state) return;
      keep(scores, allowed(automaton.mask(row.state, vocabulary), row.state, most - tokens.length - 2));
    };
  };

  function allowed({ tokens, least, most }: Mask, { isWhole }: State, room: number): ArrayLike<number> {
    const fitting = most <= room ? tokens : tokens.filter((_, i) => least[i]! <= room);
    const kept = fitting.length > 0 || isWhole ? fitting : tokens;
    if (isWhole) return [...kept, ...ends];
    if (kept.length > 0) return kept;
    throw new UserError({
      where: 'response_format',
      fault: "needs a character that the model's vocabulary cannot write",
      code: 'invalid_argument',
    });
  }
}

/** Keeps the scores of some tokens. If other settings ban all of them, the format counts more. */
function keep(scores: Float32Array, tokens: ArrayLike<number>): void {
  const kept = new Float32Array(tokens.length);
  let areBanned = true;
  for (let i = 0; i < tokens.length; i++) {
    kept[i] = scores[tokens[i]!]!;
    areBanned &&= kept[i] === Number.NEGATIVE_INFINITY;
  }
  scores.fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < tokens.length; i++) scores[tokens[i]!] = areBanned ? 0 : kept[i]!;
}
