import { fileError } from './file-error.ts';
import { UserError } from './user-error.ts';

/** Mistakes in things that do not need each other, so that a user hears of all of them at once. */
export class Mistakes {
  readonly #messages = new Set<string>();

  /** Does something; undefined where a mistake of the user's ends it. */
  async of<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.note(error);
      return undefined;
    }
  }

  /** Notes a mistake once, also as a part of others. What is none of the user's is thrown again. */
  note(error: unknown): void {
    const mistake = fileError(error) ?? error;
    if (!(mistake instanceof UserError)) throw error;
    const isKnown = [...this.#messages].some((message) => message.includes(mistake.message));
    if (!isKnown) this.#messages.add(mistake.message);
  }

  /** All in one. */
  asError(): UserError {
    return new UserError([...this.#messages].join('\n'));
  }
}
