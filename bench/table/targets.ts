import type { SideName } from '../sides.ts';

interface Targets {
  /**
   * Minimum speeds relative to PEFT: of a step against float32, of a step against bf16 (with AMX), and of
   * training on real data.
   */
  step?: number;
  stepOfBf16?: number;
  train?: number;
  /** Maxima: our memory relative to PEFT's in float32, and AdaLoRA's time relative to LoRA's. */
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
