import type { Scalar } from '../tensorboard/scalars-of.ts';

/** The properties of a run on a tracking server. */
export interface TrackedRun {
  name: string;
  /** All values of the run's config, by dotted keys. */
  settings: Readonly<Record<string, unknown>>;
}

/** The scalars of a step. */
export interface TrackedStep {
  step: number;
  /** Milliseconds since 1970. */
  time: number;
  scalars: readonly Scalar[];
}

/** How a run ended. A run that was `stopped` may continue. */
export type Outcome = 'finished' | 'stopped' | 'failed';

/** A client of a tracking server. All methods throw if the server cannot be reached or rejects the request. */
export interface Tracker {
  /**
   * Creates a run, or continues one.
   *
   * @param id id of the run to continue
   * @returns the run's id
   */
  begin(run: TrackedRun, id: string | undefined): Promise<string>;
  log(points: readonly TrackedStep[]): Promise<void>;
  end(outcome: Outcome): Promise<void>;
}

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;
