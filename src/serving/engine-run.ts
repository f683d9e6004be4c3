/** Statistics of a run of the engine. */
export interface EngineRun {
  /** Rows, or sequences. */
  rows: number;
  /** Padding included. */
  tokens: number;
  /** Number of different adapters. */
  adapters: number;
  seconds: number;
}
