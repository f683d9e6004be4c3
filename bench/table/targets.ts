import type { SideName } from '../sides.ts';

/** The targets of our sides. */
interface Targets {
  /** Minimum multiples of PEFT's speed: a step's relative to float32 and to bf16 (with AMX), and on real data. */
  step?: number;
  stepOfBf16?: number;
  train?: number;
  /** Maximum: the share of PEFT's memory in float32, and AdaLoRA's time over LoRA's. */
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
