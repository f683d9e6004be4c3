import type { SideName } from '../sides.ts';

/** What our sides are to reach. */
interface Targets {
  /** How many times PEFT's speed at least: a step's beside float32 and beside bf16 (where there is AMX), and on real data. */
  step?: number;
  stepOfBf16?: number;
  train?: number;
  /** At most: the share of the memory of PEFT in float32, and AdaLoRA's time over LoRA's. */
  memory?: number;
  overLora?: number;
}

const TARGETS: Partial<Record<SideName, Targets>> = {
  'adalora float32': { step: 1.2, train: 1.6, memory: 0.55, overLora: 1.03 },
  'adalora int8': { step: 2.2, stepOfBf16: 1.3, train: 3, memory: 0.4, overLora: 1.03 },
};

export function targetsOf(side: SideName): Targets {
  return TARGETS[side] ?? {};
}
