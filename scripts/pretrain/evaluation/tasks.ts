import { readFileSync } from 'node:fs';
import type { LabeledText } from './bag-of-words.ts';

export interface EvaluationTask {
  name: string;
  folder: string;
  header: boolean;
  /** Column indices from 0. */
  text: number;
  label: number;
  /** Number of rows of train.tsv to use: the first ones after a shuffle with a fixed seed. */
  rows: number;
  epochs: number;
  metric: 'accuracy' | 'matthews_correlation';
}

export const EVALUATION_TASKS: readonly EvaluationTask[] = [
  {
    name: 'SST-2',
    folder: '../shared/data/glue/SST-2',
    header: true,
    text: 0,
    label: 1,
    rows: 20_000,
    epochs: 2,
    metric: 'accuracy',
  },
  {
    name: 'CoLA',
    folder: '../shared/data/glue/CoLA',
    header: false,
    text: 3,
    label: 1,
    rows: 8551,
    epochs: 2,
    metric: 'matthews_correlation',
  },
];

export function readTask({ folder, header, text, label }: EvaluationTask, file: string): LabeledText[] {
  const lines = readFileSync(`${folder}/${file}`, 'utf8').trimEnd().split('\n');
  return lines.slice(Number(header)).map((line) => {
    const fields = line.replace(/\r$/, '').split('\t');
    return { text: fields[text]!, label: Number(fields[label]) };
  });
}
