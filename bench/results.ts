import type { DecoderResult } from './decoder/decoder-rows.ts';
import type { ProductRate } from './product-rate.ts';
import type { BenchCase } from './shapes.ts';
import type { SideName } from './sides.ts';

/** The raw times of a bench run. Medians and ratios are computed only for display. */
export interface BenchResults {
  /** The options, including defaults. */
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
  /** The machine's peak: the engine's rate for a product of 4096 x 768 x 3072. */
  matmulGflops: number;
  /** Rates of matrix products in an AdaLoRA step, on our float32 side. */
  products: ProductRate;
  /** For models of pictures: milliseconds of each batch of features. */
  features?: { side: SideName; pictures: number; ms: number[] }[];
}

export interface StepRun {
  side: SideName;
  method: BenchCase['method'];
  /** Number of trained parameters. */
  trainable: number;
  /** Milliseconds of every step. */
  ms: number[];
  /** Milliseconds of the first warm-up step, in which `torch.compile` compiles. */
  firstMs: number;
  memory: Memory;
}

export interface Memory {
  /** Peak resident memory of the process. */
  peak_mb: number;
  /** Resident memory after the imports, before the model. */
  baseline_mb?: number;
}

/** AdaLoRA on one dataset. */
export interface DataResult {
  name: string;
  runs: DataRun[];
}

export interface DataRun {
  side: SideName;
  train: Timed[];
  /** Evaluations of the development set with its metrics, during training. */
  evaluate: Timed[];
  /** Predictions for the texts of the development set, in a separate process. */
  predict: Timed[];
  memory: { train: Memory; predict: Memory };
  /** Share of the texts for which the predicted label is the same as on the first side. */
  sameLabels: number;
}

export interface Timed {
  examples: number;
  ms: number;
}
