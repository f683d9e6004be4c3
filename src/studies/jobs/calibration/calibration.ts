import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import type { ProgressEvent } from '../../../training/run/events.ts';

/** Estimates for a whole run, extrapolated from some of its steps on this machine. */
export interface Calibration {
  /** Peak memory of the measuring process, in MB. */
  peakMb: number;
  steps: number;
  /** Median time of a step, in milliseconds. */
  msPerStep: number;
  examplesPerSecond: number;
  /** Training tokens per second, without padding. */
  tokensPerSecond: number;
  /** Undefined without a validation set. */
  evalExamplesPerSecond?: number;
  /**
   * Seconds for all steps and evaluations, without the start and the end of the run. If the run may stop
   * early, this is an upper limit.
   */
  runSeconds: number;
}

/** The current part of a calibration. */
export interface CalibrationProgress {
  what: ProgressEvent['what'] | 'steps' | 'evaluation';
  /** The completed share, from 0 to 1. */
  share: number;
}

type OnProgress = (progress: CalibrationProgress) => void;

/** The work of a separate process for one type of a run's base. */
export interface CalibrationChild {
  /** Makes the base. Returns false if it exists already. */
  makeBase(config: ParsedConfig, onProgress: OnProgress): Promise<boolean>;
  /** @param isQuick measures for fewer seconds */
  measure(config: ParsedConfig, isQuick: boolean, onProgress: OnProgress): Promise<Calibration>;
}
