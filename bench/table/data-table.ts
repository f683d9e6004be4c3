import { dataFigures, REFERENCE } from '../figures.ts';
import type { DataResult } from '../results.ts';
import { aligned, share, times } from './cells.ts';
import { targetsOf } from './targets.ts';

const HEADS = ['', 'training', 'evaluation', 'prediction', 'training memory', 'prediction memory'];

/** Formats a table of AdaLoRA on one dataset: examples per second and peak memory, one line per side. */
export function dataTable(result: DataResult): string {
  const figures = dataFigures(result);
  const peft = figures.find(({ side }) => side === REFERENCE);
  const rows = figures.map(({ side, train, evaluate, predict, trainMemory, predictMemory }) => [
    side,
    `${rate(train)} ${times(peft && train / peft.train, targetsOf(side).train)}`,
    `${rate(evaluate)} ${times(peft && evaluate / peft.evaluate)}`,
    `${rate(predict)} ${times(peft && predict / peft.predict)}`,
    `${trainMemory.toFixed(0)} MB ${share(peft && trainMemory / peft.trainMemory)}`,
    `${predictMemory.toFixed(0)} MB ${share(peft && predictMemory / peft.predictMemory)}`,
  ]);
  return `${result.name}: AdaLoRA with MiniLM, examples per second, compared with PEFT float32\n${aligned(HEADS, rows)}\n`;
}

function rate(examples: number): string {
  return `${examples.toFixed(examples < 100 ? 1 : 0)}/s`;
}
