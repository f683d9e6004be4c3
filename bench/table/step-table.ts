import { REFERENCE, stepFigures } from '../figures.ts';
import { median } from '../median.ts';
import type { StepResult } from '../results.ts';
import { aligned, share, times } from './cells.ts';
import { targetsOf } from './targets.ts';

const HEADS = [
  '',
  'AdaLoRA',
  'over PEFT f32',
  'over PEFT bf16',
  'LoRA',
  'AdaLoRA / LoRA',
  'peak memory',
  'of PEFT f32',
];

/** Formats a table of training steps of one size, one line per side. */
export function stepTable(result: StepResult): string {
  const figures = stepFigures(result);
  const peft = figures.find(({ side }) => side === REFERENCE);
  const bf16 = figures.find(({ side }) => side === 'PEFT bf16');
  const rows = figures.map(({ side, adalora, lora, memory }) => {
    const targets = targetsOf(side);
    return [
      side,
      `${adalora.toFixed(0)} ms`,
      times(peft && peft.adalora / adalora, targets.step),
      times(bf16 && bf16.adalora / adalora, targets.stepOfBf16),
      lora === undefined ? '' : `${lora.toFixed(0)} ms`,
      share(lora && adalora / lora, targets.overLora, 3),
      `${memory.toFixed(0)} MB`,
      share(peft && memory / peft.memory, targets.memory),
    ];
  });
  const { largeGflops } = result.products;
  const rates = `${largeGflops.toFixed(0)} GFLOP/s in large products, ${result.matmulGflops.toFixed(0)} of one alone`;
  return `${result.name}: a training step (adalora float32: ${rates})\n${aligned(HEADS, rows)}\n${featureTable(result)}`;
}

/** Formats the features per second of models of pictures. */
function featureTable({ features = [] }: StepResult): string {
  if (features.length === 0) return '';
  const rates = features.map(({ side, pictures, ms }) => ({ side, rate: (1000 * pictures) / median(ms) }));
  const peft = rates.find(({ side }) => side === REFERENCE);
  const rows = rates.map(({ side, rate }) => [
    side.replace('PEFT', 'transformers'),
    rate.toFixed(1),
    times(peft && rate / peft.rate, side === 'adalora float32' ? 2 : undefined),
  ]);
  return `${aligned(['', 'pictures per second', 'over transformers f32'], rows)}\n`;
}
