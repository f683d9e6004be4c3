import { averaged } from '../../../scores/metrics/scores.ts';
import { printable } from '../../../support/text.ts';
import type { EventOf, TrainEvent } from '../../../training/run/events.ts';

/** Scores of an evaluation that say nothing about the model. */
export const TIMES = ['eval_runtime', 'eval_samples_per_second'];

/** The evaluations of a run, with the training loss between them. */
export class RunTable {
  readonly #rows: { event: EventOf<'evaluation'>; loss: number | undefined }[] = [];
  #losses: number[] = [];

  add(event: TrainEvent): void {
    if (event.type === 'step') this.#losses.push(event.loss);
    if (event.type !== 'evaluation') return;
    const sum = this.#losses.reduce((a, b) => a + b, 0);
    this.#rows.push({ event, loss: this.#losses.length > 0 ? sum / this.#losses.length : undefined });
    this.#losses = [];
  }

  /** A table with a line for each evaluation. Undefined for less than two. */
  text(averages: EventOf<'start'>['averages'] = {}): string | undefined {
    if (this.#rows.length < 2) return undefined;
    const scores = Object.keys(this.#rows[0]!.event).filter(
      (name) => name.startsWith('eval_') && !TIMES.includes(name),
    );
    const names = scores.map((name) => name.slice('eval_'.length));
    const head = [
      'epoch',
      'step',
      'training loss',
      ...names.map((name) => averaged(name, averages[name]!)),
      '',
    ];
    const best = this.#rows.findLast(({ event }) => event.best);
    const lines = this.#rows.map((row) => [
      `${Number(row.event.epoch!.toFixed(2))}`,
      `${row.event.step}`,
      row.loss?.toFixed(4) ?? '',
      ...scores.map((name) => Number(row.event[name] ?? Number.NaN).toFixed(4)),
      row === best ? 'best' : '',
    ]);
    const table = [head, ...lines];
    const widths = head.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
    return table
      .map((line) =>
        printable(
          line
            .map((field, i) => field.padEnd(widths[i]!))
            .join('  ')
            .trimEnd(),
        ),
      )
      .join('\n');
  }
}
