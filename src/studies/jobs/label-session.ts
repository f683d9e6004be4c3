import { Random } from '../../support/random.ts';
import { type AskedRow, type GivenLabel, Labeling, type LabelReview, MAX_ROWS } from './labeling.ts';

/** A row to label: a text, a pair of texts, or the name of an image. */
export interface OfferedRow {
  text: string;
  text_pair?: string;
}

/** Separates several labels in a field of CSV, so that no label contains it. */
export const SEPARATOR = ';';
/** Number of labels between two reviews, which take as long as some answers. */
const REVIEW_EVERY = 5;

/**
 * An action of a person: to give a label or one of the others. `find` asks for a row with these words, `row` for a row by
 * its number. If rows may have several labels, a label is chosen or dropped, and `next` gives the chosen ones.
 */
export type LabelAction =
  | { label: string }
  | { find: string }
  | { row: number }
  | 'next'
  | 'skip'
  | 'undo'
  | 'check';

/** The state that a terminal or a page shows. */
export interface LabelState {
  /** Missing if all rows have an answer. */
  asked?: AskedRow &
    OfferedRow & {
      earlier?: readonly string[] | undefined;
      /** The chosen labels, if rows may have several. */
      chosen?: readonly string[] | undefined;
    };
  /** Number of rows of each label. */
  counts: readonly (readonly [label: string, rows: number])[];
  labeled: number;
  rows: number;
  review?: LabelReview | undefined;
  /** Why an action had no effect. */
  notice?: string;
  answers: readonly GivenLabel[];
}

/**
 * The different rows to choose from: all, or some at random, and those that have an answer.
 *
 * @returns the rows, and the number of all different ones
 */
export function offerRows(texts: readonly OfferedRow[], answered: readonly OfferedRow[] = []) {
  const all = new Map(texts.map((row) => [identifyRow(row), row]));
  const order = new Random(0, 'label rows').permutation(all.size).slice(0, MAX_ROWS).sort();
  const list = [...all];
  const chosen = new Map(Array.from(order, (i) => list[i]!));
  for (const { text, text_pair } of answered) {
    const row = { text, ...(text_pair !== undefined && { text_pair }) };
    chosen.set(identifyRow(row), row);
  }
  return { rows: [...chosen.values()], all: all.size };
}

export function identifyRow({ text, text_pair }: OfferedRow): string {
  return JSON.stringify([text, text_pair]);
}

/** Labels rows by the actions of one person. */
export class LabelSession {
  readonly rows: readonly OfferedRow[];
  readonly #labeling: Labeling;
  #asked: LabelState['asked'];
  #review: LabelReview | undefined;
  readonly #checked = new Set<number>();

  constructor(
    rows: readonly OfferedRow[],
    vectors: readonly Float32Array[],
    labels: readonly string[],
    answers: readonly GivenLabel[],
    several = false,
  ) {
    this.rows = rows;
    this.#labeling = new Labeling(vectors, labels, answers, several);
  }

  /** Whether rows may have several labels, or none. */
  get several(): boolean {
    return this.#labeling.several;
  }

  /** Asks for the first row. */
  async begin(): Promise<LabelState> {
    await this.#reviewed();
    return this.#next();
  }

  async act(action: LabelAction): Promise<LabelState> {
    if (action === 'check') return this.#check();
    if (action === 'undo') {
      if (this.#labeling.answers.length === 0) return this.#state('There is nothing to undo.');
      this.#labeling.undo();
      return this.#next();
    }
    if (typeof action === 'object' && 'find' in action) return this.#find(action.find.trim().toLowerCase());
    if (typeof action === 'object' && 'row' in action) return this.#askFor(action.row);
    if (!this.#asked) return this.#state();
    const { row, isRandom, earlier, chosen = [] } = this.#asked;
    if (action === 'skip') {
      if (earlier === undefined) this.#labeling.answer({ row });
    } else if (action === 'next') {
      if (!this.several) return this.#state();
      this.#labeling.answer({ row, isRandom, labels: chosen });
    } else if (this.several) {
      const { label } = action;
      this.#asked.chosen = chosen.includes(label)
        ? chosen.filter((one) => one !== label)
        : [...chosen, label];
      return this.#state();
    } else this.#labeling.answer({ row, isRandom, labels: [action.label] });
    await this.#reviewed();
    return this.#next();
  }

  /**
   * The labeled rows, as CSV (RFC 4180) or JSON Lines. Several labels are a list, or separated by semicolons.
   *
   * @param column the name of the column of the texts
   */
  table(form: 'csv' | 'jsonl', column = 'text'): string {
    const rows = this.#labeling.labeled.map(({ row, labels }) => {
      const { text, text_pair } = this.rows[row]!;
      return { row: { [column]: text, ...(text_pair !== undefined && { text_pair }) }, labels };
    });
    const { several } = this;
    if (form === 'jsonl')
      return rows
        .map(({ row, labels }) => `${JSON.stringify({ ...row, label: several ? labels : labels[0] })}\n`)
        .join('');
    const header = [...Object.keys(rows[0]?.row ?? { [column]: '' }), 'label'];
    const lines = [header, ...rows.map(({ row, labels }) => [...Object.values(row), labels.join(SEPARATOR)])];
    // A text alone in quotes may also have spaces at its ends, or look like a number.
    return lines.map((fields) => `${fields.map(quoted).join(',')}\n`).join('');
  }

  async #next(): Promise<LabelState> {
    const asked = await this.#labeling.ask();
    this.#asked = asked && { ...asked, ...this.rows[asked.row]! };
    return this.#state();
  }

  async #reviewed(): Promise<void> {
    const { length } = this.#labeling.labeled;
    if (length % REVIEW_EVERY === 0 || !this.#review) this.#review = await this.#labeling.review();
    const { contradictions, ...review } = this.#review;
    this.#review = { ...review, contradictions: contradictions.filter((row) => !this.#checked.has(row)) };
  }

  /** Asks again for the row whose label contradicts the others most. */
  async #check(): Promise<LabelState> {
    this.#review = await this.#labeling.review();
    const row = this.#review.contradictions.find((one) => !this.#checked.has(one));
    if (row === undefined) return this.#state('No label contradicts the others.');
    this.#checked.add(row);
    return this.#askFor(row);
  }

  async #askFor(row: number): Promise<LabelState> {
    const earlier = this.#labeling.labeled.find((answer) => answer.row === row)?.labels;
    const guess = await this.#labeling.guessWithout(row);
    this.#asked = { row, isRandom: false, guess, earlier, chosen: earlier, ...this.rows[row]! };
    return this.#state();
  }

  async #find(words: string): Promise<LabelState> {
    const answered = new Set(this.#labeling.answers.map(({ row }) => row));
    const has = ({ text, text_pair = '' }: OfferedRow) =>
      `${text}\n${text_pair}`.toLowerCase().includes(words);
    const after = this.#asked?.row ?? -1;
    const found = [...this.rows.keys()].filter((row) => !answered.has(row) && has(this.rows[row]!));
    const row = found.find((one) => one > after) ?? found[0];
    if (row === undefined || words === '') return this.#state('No row without a label has these words.');
    return this.#askFor(row);
  }

  #state(notice?: string): LabelState {
    const { labels, labeled, answers } = this.#labeling;
    return {
      ...(this.#asked && { asked: this.#asked }),
      counts: labels.map((label) => [
        label,
        labeled.filter((answer) => answer.labels.includes(label)).length,
      ]),
      labeled: labeled.length,
      rows: this.rows.length,
      review: this.#review,
      ...(notice !== undefined && { notice }),
      answers,
    };
  }
}

function quoted(field: string): string {
  return /^[^\s",]+$/.test(field) ? field : `"${field.replaceAll('"', '""')}"`;
}

/** The vectors of pairs: both, and their products, without which a linear probe could not compare the texts. */
export function pairVectors(first: readonly Float32Array[], second: readonly Float32Array[]): Float32Array[] {
  return first.map((a, i) => {
    const b = second[i]!;
    const joined = new Float32Array(3 * a.length);
    joined.set(a);
    joined.set(b, a.length);
    joined.set(
      a.map((x, k) => x * b[k]!),
      2 * a.length,
    );
    return joined;
  });
}

/** Labels in words. */
export function labelWords(labels: readonly string[]): string {
  return labels.join(', ') || 'no label';
}

/** Describes a guess in a sentence. */
export function describeGuess({ labels, probability }: NonNullable<AskedRow['guess']>): string {
  return `Guess: ${labelWords(labels)} (${Math.round(100 * probability)} %).`;
}

/** Describes a review in sentences. */
export function describeReview({ review, labeled }: LabelState): string[] {
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const { random, contradictions = [], isStable } = review ?? {};
  const few = contradictions.length;
  return [
    ...(random && labeled >= REVIEW_EVERY
      ? [
          `Accuracy: ${percent(random.right / random.rows)}, estimated from ${random.rows} random ${random.rows === 1 ? 'row' : 'rows'} that the guesses did not learn from (95 % interval: ${percent(random.interval[0])} to ${percent(random.interval[1])}).`,
        ]
      : []),
    ...(few > 0 ? [`${few === 1 ? '1 label contradicts' : `${few} labels contradict`} the others.`] : []),
    ...(isStable ? ['The last labels changed few guesses. You can stop here.'] : []),
  ];
}
