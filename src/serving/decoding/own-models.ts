import type { LanguageModel } from '../../generation/language-model.ts';
import { Overloaded } from '../overloaded.ts';

type Opened = LanguageModel & { release(): Promise<void> };

/** A slot for one open model. */
interface Place {
  open?: { key: object; model: Opened };
  /** The key of the last adapter that requested the slot. */
  asked?: object;
  /** Settles when all uses of the slot so far have ended. */
  last: Promise<unknown>;
  users: number;
}

/**
 * Language models of adapters that cannot share a batch. Only a few are open at a time. Each runs one request at a
 * time.
 */
export class OwnModels {
  readonly #maxQueued: number;
  /** The least recently used first. */
  #places: Place[];
  #waiting = 0;

  /**
   * @param most maximum number of open models
   * @param maxQueued maximum number of waiting uses
   */
  constructor(most: number, maxQueued: number) {
    this.#places = Array.from({ length: most }, () => ({ last: Promise.resolve(), users: 0 }));
    this.#maxQueued = maxQueued;
  }

  /**
   * Runs work with an adapter's model, after earlier work in the same slot.
   *
   * @param key object that identifies the adapter
   * @throws Overloaded if too many uses wait
   */
  async use<Result>(
    key: object,
    open: () => Promise<Opened>,
    work: (model: LanguageModel) => Promise<Result>,
  ): Promise<Result> {
    if (this.#waiting >= this.#maxQueued) throw new Overloaded(this.#waiting);
    const place = this.#placeFor(key);
    place.users++;
    this.#waiting++;
    const result = place.last.then(async () => work(await opened(place, key, open)));
    place.last = result.catch(() => {});
    try {
      return await result;
    } finally {
      place.users--;
      this.#waiting--;
    }
  }

  /** Frees the engine's memory after all uses have ended. */
  async close(): Promise<void> {
    for (const place of this.#places) {
      await place.last;
      await emptied(place);
    }
  }

  /** The slot that has the adapter's model or will have it; otherwise the slot with the shortest queue. */
  #placeFor(key: object): Place {
    const quietest = this.#places.reduce((best, place) => (place.users < best.users ? place : best));
    const place = this.#places.find(({ asked }) => asked === key) ?? quietest;
    place.asked = key;
    this.#places = [...this.#places.filter((other) => other !== place), place];
    return place;
  }
}

async function opened(place: Place, key: object, open: () => Promise<Opened>): Promise<Opened> {
  if (place.open?.key === key) return place.open.model;
  await emptied(place);
  place.open = { key, model: await open() };
  return place.open.model;
}

async function emptied(place: Place): Promise<void> {
  const { open } = place;
  place.open = undefined;
  await open?.model.release();
}
