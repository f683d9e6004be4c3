import { median } from './median.ts';
import type { DataResult, StepResult, Timed } from './results.ts';
import type { SideName } from './sides.ts';

/** The side with which all others are compared. */
export const REFERENCE: SideName = 'PEFT float32';

/** The medians of a side for one size. */
export interface StepFigures {
  side: SideName;
  /** Time of an AdaLoRA step in milliseconds. */
  adalora: number;
  lora?: number;
  /** Peak memory of the AdaLoRA process in MB. */
  memory: number;
}

/** The medians of a side on one dataset: examples per second, and the peak memory of its two processes in MB. */
export interface DataFigures {
  side: SideName;
  train: number;
  evaluate: number;
  predict: number;
  trainMemory: number;
  predictMemory: number;
}

export function stepFigures({ runs }: StepResult): StepFigures[] {
  return runs
    .filter(({ method }) => method === 'adalora')
    .map(({ side, ms, memory }) => {
      const lora = runs.find((run) => run.side === side && run.method === 'lora');
      return { side, adalora: median(ms), lora: lora && median(lora.ms), memory: memory.peak_mb };
    });
}

export function dataFigures({ runs }: DataResult): DataFigures[] {
  return runs.map(({ side, train, evaluate, predict, memory }) => ({
    side,
    train: rate(train),
    evaluate: rate(evaluate),
    predict: rate(predict),
    trainMemory: memory.train.peak_mb,
    predictMemory: memory.predict.peak_mb,
  }));
}

function rate(blocks: readonly Timed[]): number {
  return median(blocks.map(({ examples, ms }) => (1000 * examples) / ms));
}
