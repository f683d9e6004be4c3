import type { SideName } from '../sides.ts';

interface Targets {
  /**
   * Minimum speed relative to PEFT: a step compared with float32 and with bf16 (with AMX), and training on
   * real data.
   */
  step?: number;
  stepOfBf16?: number;
  train?: number;
  /** Maximum memory relative to PEFT in float32, and maximum time of AdaLoRA relative to LoRA. */
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
