import { UserError } from '../../support/user-error.ts';
import type { OnSkipped } from './row.ts';

/** Maximum lines listed per kind of problem: enough to see the pattern. */
const MAX_SHOWN = 5;

export type RowProblem = { hint?: string } & (
  | { /** A noun phrase, for the message `needs …, got …`. */ needs: string; got: string }
  | {
      /** The predicate of a sentence whose subject is the place of the row. */
      fault: string;
      /** Problems of the same kind are reported together, although their values differ. */
      kind?: string;
    }
);

/** A line number, or the row's name if the file has no lines. */
type Place = number | string;

/** Collects the problems with a file's rows, to report all in one message. */
export class RowProblems {
  readonly fileName: string;
  #rows = 0;
  #last: Place | undefined;
  readonly #kinds = new Map<string, { first: RowProblem; places: Place[]; count: number }>();

  constructor(fileName: string) {
    this.fileName = fileName;
  }

  /** Number of rows with problems. */
  get count(): number {
    return this.#rows;
  }

  /** Starts a new row. In a list on one line, all rows have the same place. */
  beginRow(): void {
    this.#last = undefined;
  }

  /** Records a problem at a place. Problems of one kind are reported together. */
  add(place: Place, problem: RowProblem): void {
    if (place !== this.#last) this.#rows++;
    this.#last = place;
    const name = 'fault' in problem ? (problem.kind ?? problem.fault) : problem.needs;
    const kind = this.#kinds.get(name);
    if (!kind) {
      this.#kinds.set(name, { first: problem, places: [place], count: 1 });
      return;
    }
    kind.count++;
    if (kind.places.length < MAX_SHOWN) kind.places.push(place);
  }

  /**
   * @throws UserError with file and line if any problem was recorded
   */
  throwIfAny(): void {
    if (this.#kinds.size > 0) throw new UserError(this.#messages().join('\n'), 'invalid_data');
  }

  /**
   * Reports the skipped rows and their problems.
   *
   * @param kept number of rows that are not skipped
   * @throws UserError if all rows are skipped
   */
  tellSkipped(kept: number, tell: OnSkipped): void {
    if (this.#rows === 0) return;
    if (kept === 0) this.throwIfAny();
    const skipped = this.#rows === 1 ? '1 row is' : `${this.#rows} rows are`;
    tell(`${skipped} skipped. ${this.#messages().join(' ')}`, this.#rows);
  }

  #messages(): string[] {
    return [...this.#kinds.values()].map(({ first, places, count }) => {
      const isLine = typeof places[0] === 'number';
      const where = `${this.fileName}${isLine ? ':' : ', '}${places[0]}`;
      const fault = 'fault' in first ? first.fault : `needs ${first.needs}, got ${first.got}`;
      const { message } = new UserError({ where, fault, hint: first.hint });
      if (count === 1) return message;
      const more = count > places.length ? ` and ${count - places.length} more` : '';
      return `${message} The same in ${count} rows: ${isLine ? 'lines ' : ''}${places.join(', ')}${more}.`;
    });
  }
}

/** Even a short row takes several hundred bytes, so 2 million rows take about a gigabyte. */
const MAX_ROWS = 2_000_000;

/** Throws a UserError for a file with more rows (or lines, in files with one word per line) than fit in memory. */
export function checkRowCount(rows: number, fileName: string): void {
  if (rows <= MAX_ROWS) return;
  const hint = 'Split the file, or train on a part of it.';
  throw new UserError({ where: fileName, fault: `has more than ${MAX_ROWS} rows`, hint });
}
