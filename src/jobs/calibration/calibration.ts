/** What some steps of a run show of the whole, on this machine as it was just then. */
export interface Calibration {
  /** Peak of a process that did only this, in MB. */
  peakMb: number;
  /** Steps that were timed. */
  steps: number;
  /** The median. */
  msPerStep: number;
  examplesPerSecond: number;
  /** Tokens of training, without padding. */
  tokensPerSecond: number;
  /** Where there is a validation set. */
  evalExamplesPerSecond?: number;
  /** Steps and evaluations of the whole run, and nothing around them: an upper bound where it may end early. */
  runSeconds: number;
}

/** What a calibration does just now. */
export interface CalibrationProgress {
  what: 'download' | 'base' | 'text' | 'steps' | 'evaluation';
  /** What is done of it, from 0 to 1. */
  share: number;
}
