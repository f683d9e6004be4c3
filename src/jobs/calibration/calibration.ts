/** Estimates for a whole run from some of its steps, on this machine in its current state. */
export interface Calibration {
  /** Peak memory of the process that measured, in MB. */
  peakMb: number;
  /** Number of timed steps. */
  steps: number;
  /** Median milliseconds of a step. */
  msPerStep: number;
  examplesPerSecond: number;
  /** Training tokens, without padding. */
  tokensPerSecond: number;
  /** Only with a validation set. */
  evalExamplesPerSecond?: number;
  /** Steps and evaluations of the whole run, without anything around them: an upper bound if it may end early. */
  runSeconds: number;
}

/** The current activity of a calibration. */
export interface CalibrationProgress {
  what: 'download' | 'base' | 'text' | 'steps' | 'evaluation';
  /** The share that is done, from 0 to 1. */
  share: number;
}
