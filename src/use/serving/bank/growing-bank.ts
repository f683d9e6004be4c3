import type { Value } from '../../../engine/graph/graph.ts';
import { baseParameters, type PackedAdapter } from '../../../methods/tuners/bank/packed-adapter.ts';
import { FROZEN, type Tuner } from '../../../methods/tuners/tuner.ts';
import type { Engine } from '../../../program/engine.ts';
import type { TaskModel } from '../../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { elementCount } from '../../../support/arrays.ts';
import { largest } from '../../../support/numbers.ts';
import { Turns } from '../../../support/turns.ts';
import { closing, type ServedBase } from '../served-base.ts';
import { AdapterBank } from './adapter-bank.ts';
import { BankInjection, type BankPart } from './bank-injection.ts';
import {
  type BankShape,
  countValues,
  EMPTY_SHAPE,
  findShape,
  hasRoom,
  joinShapes,
  withRoom,
} from './bank-shape.ts';

/** A session with a bank. */
export interface BankSession {
  release(): Promise<void>;
}

/** Opens a session with a bank of a shape, for heads with this many outputs. */
type OpenBanked<Made extends BankSession> = (shape: BankShape, outputs: number) => Promise<Made>;

/** @throws UserError if a bank of this shape cannot be opened */
type CheckBanked = (shape: BankShape, outputs: number) => Promise<void>;

interface Opened<Made> {
  made: Promise<Made>;
  users: number;
  isRetired: boolean;
}

/** The room that adapters need. */
interface Room {
  shape: BankShape;
  outputs: number;
}

/** The bank gets smaller when its adapters need at most this share of its room. Opening a session takes seconds. */
const SMALL_SHARE = 0.5;

/**
 * A bank with room for every adapter. Most adapters fit into the current bank. If one does not, a larger bank is opened
 * and replaces it. If large adapters have left, a smaller one does. Pending work finishes with the old bank.
 */
export class GrowingBank<Made extends BankSession> {
  readonly #open: OpenBanked<Made>;
  readonly #check: CheckBanked;
  /** The room of each adapter, by the object that identifies it. */
  readonly #rooms = new Map<object, Room>();
  #room: Room = { shape: EMPTY_SHAPE, outputs: 1 };
  #current: Opened<Made> | undefined;
  /** The bank changes for one adapter at a time, each time from its latest room. */
  readonly #turns = new Turns();

  constructor(open: OpenBanked<Made>, check: CheckBanked) {
    this.#open = open;
    this.#check = check;
  }

  /**
   * Makes room for an adapter until it leaves.
   *
   * @param adapter object that identifies the adapter
   * @throws UserError if the adapter cannot share the bank; then nothing changes
   */
  makeRoom(adapter: object, packed: PackedAdapter, outputs: number): Promise<void> {
    return this.#turns.run(async () => {
      await this.#grow(packed, outputs);
      this.#rooms.set(adapter, { shape: findShape(packed), outputs });
    });
  }

  /** Frees the room that only this adapter needs. If a smaller bank cannot be opened, the current one stays. */
  leave(adapter: object): Promise<void> {
    return this.#turns.run(async () => {
      if (!this.#rooms.delete(adapter)) return;
      const rooms = [...this.#rooms.values()];
      const needed: Room = {
        shape: rooms.reduce((shape, room) => joinShapes(shape, room.shape), EMPTY_SHAPE),
        outputs: Math.max(1, largest(rooms.map(({ outputs }) => outputs))),
      };
      const [size, current] = [countValues(needed.shape), countValues(this.#room.shape)];
      if (size < current && size <= SMALL_SHARE * current) await this.#replace(needed).catch(() => {});
    });
  }

  /**
   * Runs work with a session that has room for an adapter. It stays open until the work is done.
   *
   * @throws UserError if the adapter cannot share the bank
   */
  async use<Result>(
    packed: PackedAdapter,
    outputs: number,
    work: (made: Made) => Promise<Result>,
  ): Promise<Result> {
    // The adapter may have left the bank while its request waited.
    while (!this.#fits(packed, outputs)) await this.#turns.run(() => this.#grow(packed, outputs));
    this.#current ??= this.#opened(this.#room);
    const opened = this.#current;
    opened.users++;
    try {
      return await work(await opened.made);
    } finally {
      opened.users--;
      // A session that cannot be released is not the fault of the work that used it.
      await releaseIfDone(opened).catch(() => {});
    }
  }

  /** Opens the session now. */
  async open(): Promise<void> {
    await this.use(new Map(), 1, async () => {});
  }

  /** Releases the session when it is no longer used. */
  async close(): Promise<void> {
    await this.#turns.run(async () => {
      const opened = this.#current;
      this.#current = undefined;
      if (opened) await retire(opened);
    });
  }

  #fits(packed: PackedAdapter, outputs: number): boolean {
    return hasRoom(this.#room.shape, packed) && outputs <= this.#room.outputs;
  }

  async #grow(packed: PackedAdapter, outputs: number): Promise<void> {
    if (this.#fits(packed, outputs)) return;
    const larger = {
      shape: withRoom(this.#room.shape, packed),
      outputs: Math.max(outputs, this.#room.outputs),
    };
    if (!this.#current) await this.#check(larger.shape, larger.outputs);
    await this.#replace(larger);
  }

  async #replace(room: Room): Promise<void> {
    // During a check, a request may have opened the current bank.
    const next = this.#current && this.#opened(room);
    await next?.made;
    const before = this.#current;
    [this.#current, this.#room] = [next, room];
    if (before) await retire(before).catch(() => {});
  }

  #opened({ shape, outputs }: Room): Opened<Made> {
    const opened = { made: this.#open(shape, outputs), users: 0, isRetired: false };
    // If opening fails, the next caller tries again.
    opened.made.catch(() => {
      if (this.#current === opened) this.#current = undefined;
    });
    return opened;
  }
}

async function retire<Made extends BankSession>(opened: Opened<Made>): Promise<void> {
  opened.isRetired = true;
  await releaseIfDone(opened);
}

async function releaseIfDone<Made extends BankSession>({
  made,
  users,
  isRetired,
}: Opened<Made>): Promise<void> {
  if (!isRetired || users > 0) return;
  await (await made.catch(() => undefined))?.release();
}

/** Opens a session with a model and a bank of this shape. */
type OpenBank<Made> = (engine: Engine, model: LoadedModel, shape: BankShape) => Promise<Made>;

/**
 * The bank for all adapters of one model: with its head and its config.
 *
 * @param build builds its graph, to check whether an adapter can share it
 */
export function headBank<Made extends BankSession>(
  base: ServedBase,
  like: TaskModel,
  open: OpenBank<Made>,
  build: (model: LoadedModel, tuner: Tuner) => unknown,
): GrowingBank<Made> {
  return new GrowingBank(
    async (shape, outputs) => {
      const model = await base.open(like, outputs);
      return closing(model, async () => open(base.engine(model), model, shape));
    },
    async (shape, outputs) => {
      const model = await base.open(like, outputs);
      try {
        bankedGraph(model, shape, (tuner) => build(model, tuner), 1);
      } finally {
        model.close();
      }
    },
  );
}

/** Default size of a bank, in bytes. */
const BANK_BYTES = 2 ** 28;
/** Limits for the number of slots in that memory. */
const [MAX_SLOTS, MIN_SLOTS] = [64, 4];

/** A model's graph, and the bank from which rows read their adapters. */
interface BankedGraph<Made> {
  graph: Made;
  bank: AdapterBank;
}

/**
 * Builds a graph of a model with a bank for adapters.
 *
 * @param build builds the graph with a tuner that represents all adapters
 * @param slots number of adapters with a slot; by default as many as fit into a fixed amount of memory
 * @throws NotMixed for modules with adapters that cannot differ between rows
 */
export function bankedGraph<Made>(
  model: LoadedModel,
  shape: BankShape,
  build: (tuner: Tuner) => Made,
  slots?: number,
): BankedGraph<Made> {
  const base = baseParameters(model);
  const attempt = (count: number) => {
    let injection: BankInjection | undefined;
    const inject = (flat: Value) => {
      injection = new BankInjection(flat.node.graph, shape, count, base);
      return injection;
    };
    const graph = build({ ...FROZEN.tuner, inject });
    injection?.assertAllMet();
    return { graph, parts: injection?.parts ?? [] };
  };
  const count = slots ?? slotsFor(attempt(1).parts);
  const { graph, parts } = attempt(count);
  return { graph, bank: new AdapterBank(parts, count) };
}

function slotsFor(parts: readonly BankPart[]): number {
  const bytes = parts.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  return Math.max(MIN_SLOTS, Math.min(MAX_SLOTS, Math.floor(BANK_BYTES / Math.max(bytes, 1))));
}
