/** Something that must be released after use. */
export interface Releasable {
  release(): Promise<void>;
}

/** Something that is opened on first use, such as a session. If that fails, the next use tries again. */
export class OnDemand<Made extends Releasable> implements Releasable {
  readonly #open: () => Promise<Made>;
  #made: Promise<Made> | undefined;

  constructor(open: () => Promise<Made>) {
    this.#open = open;
  }

  async get(): Promise<Made> {
    const made = this.#made ?? this.#open();
    this.#made = made;
    try {
      return await made;
    } catch (error) {
      if (this.#made === made) this.#made = undefined;
      throw error;
    }
  }

  /** Releases it if it is open. A later use opens it again. */
  async release(): Promise<void> {
    const made = this.#made;
    this.#made = undefined;
    await (await made?.catch(() => undefined))?.release();
  }
}

/**
 * Releases all of them, even if some fail.
 *
 * @throws the first error, afterwards
 */
export async function releaseAll(all: Iterable<Releasable | undefined>): Promise<void> {
  const failures: unknown[] = [];
  for (const one of all) await one?.release().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/**
 * Runs work and releases what it used, also if it fails.
 *
 * @throws the error of the work rather than that of the release
 */
export async function releasing<Result>(used: Releasable, work: () => Promise<Result>): Promise<Result> {
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    await used.release().catch(() => {});
    throw error;
  }
  await used.release();
  return result;
}
