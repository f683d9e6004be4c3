import { releaseAll } from '../../support/opened.ts';
import { Turns } from '../../support/turns.ts';
import { Overloaded } from './service/service-errors.ts';

interface Session {
  release(): Promise<void>;
}

/** A slot for one open session. */
interface Place<Opened> {
  open?: { key: object; session: Opened };
  /** The key of the last adapter that requested the slot. */
  asked?: object;
  /** One use of the slot after the other. */
  turns: Turns;
  users: number;
}

/**
 * Sessions of adapters that cannot share a batch. Only a few are open at a time. Each runs one request at a time.
 */
export class OwnSessions<Opened extends Session> {
  readonly #maxQueued: number;
  /** The least recently used first. */
  #places: Place<Opened>[];
  #waiting = 0;

  /**
   * @param most maximum number of open sessions
   * @param maxQueued maximum number of waiting uses
   */
  constructor(most: number, maxQueued: number) {
    this.#places = Array.from({ length: most }, () => ({ turns: new Turns(), users: 0 }));
    this.#maxQueued = maxQueued;
  }

  /**
   * Runs work with an adapter's session, after earlier work in the same slot.
   *
   * @param key object that identifies the adapter
   * @throws Overloaded if too many uses wait
   */
  async use<Result>(
    key: object,
    open: () => Promise<Opened>,
    work: (session: Opened) => Promise<Result>,
  ): Promise<Result> {
    if (this.#waiting >= this.#maxQueued) throw new Overloaded(this.#waiting);
    const place = this.#placeFor(key);
    place.users++;
    this.#waiting++;
    try {
      return await place.turns.run(async () => work(await opened(place, key, open)));
    } finally {
      place.users--;
      this.#waiting--;
    }
  }

  /** Frees the engine's memory after all uses have ended. */
  async close(): Promise<void> {
    const closing = (place: Place<Opened>) => ({ release: () => place.turns.run(() => emptied(place)) });
    await releaseAll(this.#places.map(closing));
  }

  /** The slot that has the adapter's session or will have it; otherwise the slot with the shortest queue. */
  #placeFor(key: object): Place<Opened> {
    const quietest = this.#places.reduce((best, place) => (place.users < best.users ? place : best));
    const place = this.#places.find(({ asked }) => asked === key) ?? quietest;
    place.asked = key;
    this.#places = [...this.#places.filter((other) => other !== place), place];
    return place;
  }
}

async function opened<Opened extends Session>(
  place: Place<Opened>,
  key: object,
  open: () => Promise<Opened>,
): Promise<Opened> {
  if (place.open?.key === key) return place.open.session;
  // A session that cannot be released must not make the next adapter's work fail.
  await emptied(place).catch(() => {});
  place.open = { key, session: await open() };
  return place.open.session;
}

async function emptied(place: Place<Session>): Promise<void> {
  const { open } = place;
  place.open = undefined;
  await open?.session.release();
}
