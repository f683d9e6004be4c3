import { type Drawn, DropoutPool } from './dropout-pool.ts';

/** The pools of a run by seed and distribution. Its graphs share them, because a million draws take 0.01 to 0.02 s. */
export class DropoutPools {
  readonly #pools = new Map<string, DropoutPool>();

  of(seed: number, drawn: Drawn): DropoutPool {
    const key = `${seed} ${drawn}`;
    const pool = this.#pools.get(key) ?? new DropoutPool(seed, drawn);
    this.#pools.set(key, pool);
    return pool;
  }
}
