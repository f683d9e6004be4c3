import { UserError } from '../support/user-error.ts';

/** Lines named in full per kind of problem: enough to see the pattern, few enough to read. */
const MAX_SHOWN = 5;

/** What is wrong with rows of one kind. */
export interface RowProblem {
  expected: string;
  got: string;
  hint?: string;
}

/** Gathers what is wrong with the rows of a file, so that one message tells all of it. */
export class RowProblems {
  readonly #fileName: string;
  readonly #kinds = new Map<string, { first: RowProblem; lines: number[]; count: number }>();

  constructor(fileName: string) {
    this.#fileName = fileName;
  }

  /** Notes a problem on a line. Problems that expect the same are of one kind and told together. */
  add(line: number, problem: RowProblem): void {
    const kind = this.#kinds.get(problem.expected);
    if (!kind) {
      this.#kinds.set(problem.expected, { first: problem, lines: [line], count: 1 });
      return;
    }
    kind.count++;
    if (kind.lines.length < MAX_SHOWN) kind.lines.push(line);
  }

  /** @throws UserError with file and line when any problem was noted. */
  throwIfAny(): void {
    if (this.#kinds.size === 0) return;
    const messages = [...this.#kinds.values()].map(({ first, lines, count }) => {
      const { message } = new UserError({ where: `${this.#fileName}:${lines[0]}`, ...first });
      if (count === 1) return message;
      const more = count > lines.length ? ` and ${count - lines.length} more` : '';
      return `${message} ${count} rows are so: lines ${lines.join(', ')}${more}.`;
    });
    throw new UserError(messages.join('\n'));
  }
}
