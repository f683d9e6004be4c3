/** What is told of a run of the engine. */
export interface EngineRun {
  /** Rows, or sequences. */
  rows: number;
  /** Padding included. */
  tokens: number;
  /** Different ones. */
  adapters: number;
  seconds: number;
}
