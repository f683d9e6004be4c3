import type { PackedAdapter } from '../../tuners/bank/packed-adapter.ts';
import { type BankShape, EMPTY_SHAPE, hasRoom, withRoom } from './bank-shape.ts';

/** A session with a bank. */
export interface Banked {
  release(): Promise<void>;
}

/** Opens a session with a bank of a shape, for heads with this many outputs. */
export type OpenBanked<Made extends Banked> = (shape: BankShape, outputs: number) => Promise<Made>;

/** @throws UserError if a bank of this shape cannot be opened */
export type CheckBanked = (shape: BankShape, outputs: number) => Promise<void>;

interface Opened<Made> {
  made: Promise<Made>;
  users: number;
  isRetired: boolean;
}

/**
 * A bank with room for every adapter so far. Most adapters fit into the current bank. If one does not, a larger bank is
 * opened and replaces it. Pending work finishes with the old bank.
 */
export class GrowingBank<Made extends Banked> {
  readonly #open: OpenBanked<Made>;
  readonly #check: CheckBanked;
  #shape = EMPTY_SHAPE;
  #outputs = 1;
  #current: Opened<Made> | undefined;
  #growth: Promise<void> = Promise.resolve();

  constructor(open: OpenBanked<Made>, check: CheckBanked) {
    this.#open = open;
    this.#check = check;
  }

  /**
   * Makes room for an adapter.
   *
   * @throws UserError if the adapter cannot share the bank; then nothing changes
   */
  makeRoom(packed: PackedAdapter, outputs: number): Promise<void> {
    // The bank grows for one adapter at a time, each time from its latest shape.
    const grown = this.#growth.then(() => this.#grow(packed, outputs));
    this.#growth = grown.catch(() => {});
    return grown;
  }

  /** Runs work with the current session, which stays open until the work is done. */
  async use<Result>(work: (made: Made) => Promise<Result>): Promise<Result> {
    this.#current ??= this.#opened(this.#shape, this.#outputs);
    const opened = this.#current;
    opened.users++;
    try {
      return await work(await opened.made);
    } finally {
      opened.users--;
      await releaseIfDone(opened);
    }
  }

  /** Releases the session when it is no longer used. */
  async close(): Promise<void> {
    await this.#growth;
    const opened = this.#current;
    this.#current = undefined;
    if (opened) await retire(opened);
  }

  async #grow(packed: PackedAdapter, outputs: number): Promise<void> {
    if (hasRoom(this.#shape, packed) && outputs <= this.#outputs) return;
    const shape = withRoom(this.#shape, packed);
    const most = Math.max(outputs, this.#outputs);
    if (!this.#current) await this.#check(shape, most);
    // During the check, a request may have opened the smaller bank.
    const next = this.#current && this.#opened(shape, most);
    await next?.made;
    const before = this.#current;
    [this.#current, this.#shape, this.#outputs] = [next, shape, most];
    if (before) await retire(before);
  }

  #opened(shape: BankShape, outputs: number): Opened<Made> {
    const opened = { made: this.#open(shape, outputs), users: 0, isRetired: false };
    // If opening fails, the next caller tries again.
    opened.made.catch(() => {
      if (this.#current === opened) this.#current = undefined;
    });
    return opened;
  }
}

async function retire<Made extends Banked>(opened: Opened<Made>): Promise<void> {
  opened.isRetired = true;
  await releaseIfDone(opened);
}

async function releaseIfDone<Made extends Banked>({ made, users, isRetired }: Opened<Made>): Promise<void> {
  if (isRetired && users === 0) await (await made).release();
}
