import { Random } from '../../support/random.ts';

/** Returns standard normal numbers for a vector of a module at a step. */
export type Draw = (what: string, step: number, length: number) => ArrayLike<number>;

/** Draws numbers that depend on the run's seed. */
export function seeded(seed: number): Draw {
  return (what, step, length) => new Random(seed, `grow ${what}`, step).normals(length, 1);
}
