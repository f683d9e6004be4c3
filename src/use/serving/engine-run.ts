/** Statistics of one run of the engine. */
export interface EngineRun {
  /** Number of rows or sequences. */
  rows: number;
  /** Number of tokens, padding included. */
  tokens: number;
  /** Number of different adapters. */
  adapters: number;
  seconds: number;
}
