import type { Scalar } from '../tensorboard/scalars-of.ts';

/** A run as a tracking server shows it. */
export interface TrackedRun {
  name: string;
  /** All values of its config by dotted keys. */
  settings: Readonly<Record<string, unknown>>;
}

/** The scalars of a step. */
export interface Point {
  step: number;
  /** Milliseconds since 1970. */
  time: number;
  scalars: readonly Scalar[];
}

/** How a run ended, as far as a server distinguishes it. `stopped`: it may continue. */
export type Outcome = 'finished' | 'stopped' | 'failed';

/** A client of a tracking server. All methods throw if the server cannot be reached or refuses. */
export interface Tracker {
  /**
   * Creates the run, or continues one.
   *
   * @param id of the run to continue
   * @returns the run's id
   */
  begin(run: TrackedRun, id: string | undefined): Promise<string>;
  log(points: readonly Point[]): Promise<void>;
  end(outcome: Outcome): Promise<void>;
}

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;
