import { fileError } from './file-error.ts';
import { UserError, type UserErrorCode } from './user-error.ts';

/** Collects the user's errors in independent steps, so that a user sees all of them at once. */
export class Mistakes {
  readonly #messages = new Set<string>();
  readonly #codes = new Set<UserErrorCode>();

  /** Runs a step. Returns undefined if the step throws a user's error. */
  async of<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.note(error);
      return undefined;
    }
  }

  /** Records an error, unless it has been recorded before. Rethrows any other exception. */
  note(error: unknown): void {
    const mistake = fileError(error) ?? error;
    if (!(mistake instanceof UserError)) throw error;
    const isKnown = [...this.#messages].some((message) => message.includes(mistake.message));
    if (isKnown) return;
    this.#messages.add(mistake.message);
    this.#codes.add(mistake.code);
  }

  /** Combines all recorded errors in one. */
  asError(): UserError {
    const [code, other] = this.#codes;
    return new UserError([...this.#messages].join('\n'), other === undefined ? code : 'invalid');
  }
}
