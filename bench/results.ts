import type { DecoderResult } from './decoder/decoder-rows.ts';
import type { ProductRate } from './product-rate.ts';
import type { BenchCase } from './shapes.ts';
import type { SideName } from './sides.ts';

/** The raw times of a bench run. Medians and ratios are computed for display. */
export interface BenchResults {
  /** As given, with defaults. */
  options: Record<string, string>;
  /** Versions of PEFT and its dependencies. */
  versions?: Record<string, string>;
  steps: StepResult[];
  data: DataResult[];
  decoders: DecoderResult[];
  startupMs?: number[];
}

/** Training steps of one size. */
export interface StepResult {
  name: string;
  runs: StepRun[];
  /** The engine's product of 4096 x 768 x 3072, the machine's peak. */
  matmulGflops: number;
  /** Rates in AdaLoRA's step on our float32 side. */
  products: ProductRate;
}

export interface StepRun {
  side: SideName;
  method: BenchCase['method'];
  /** Trained numbers. */
  trainable: number;
  /** Time of every step. */
  ms: number[];
  memory: Memory;
}

export interface Memory {
  /** The peak resident memory of the process. */
  peak_mb: number;
  /** The part of it for Python's imports. */
  baseline_mb?: number;
}

/** AdaLoRA on one data set. */
export interface DataResult {
  name: string;
  runs: DataRun[];
}

export interface DataRun {
  side: SideName;
  train: Timed[];
  /** The development set with its metrics, while training. */
  evaluate: Timed[];
  /** The texts of the development set, in a separate process. */
  predict: Timed[];
  memory: { train: Memory; predict: Memory };
  /** Share of the texts with the same label as on the first side. */
  sameLabels: number;
}

export interface Timed {
  examples: number;
  ms: number;
}
