import { averaged, scoreDefinition } from '../../../scores/metrics/scores.ts';
import { clockTime, counted } from '../../../studies/report/format.ts';
import { describeComponents, readScores } from '../../../studies/report/run/run-record.ts';
import { describeBaselines } from '../../../studies/report/verdict-sentence.ts';
import { mean } from '../../../support/numbers.ts';
import { printable } from '../../../support/text.ts';
import type { EventOf, FinishEvent, TrainEvent } from '../../../training/run/events.ts';
import { isNoBetterThanFloor, isTuned } from '../../../training/run/verdict.ts';
import { aligned } from './plain-text.ts';

type Averages = EventOf<'start'>['averages'];

/**
 * Describes an event in lines without color, which stay on the screen. Undefined for steps, measurements and
 * intermediate allocations.
 *
 * @param begun the run's start event, if known: it contains the unit of the ranks, the averages of the
 * scores, and the baselines
 */
export function describeEvent(event: TrainEvent, begun?: EventOf<'start'>): string | undefined {
  switch (event.type) {
    case 'start':
      return start(event);
    case 'evaluation':
      return evaluation(event, begun);
    case 'allocation':
      return event.final
        ? `ranks are final at step ${event.step}: ${event.budget} ${describeComponents([begun?.method ?? ''])}`
        : undefined;
    case 'notice':
      return `note: ${printable(event.message)}`;
    case 'checkpoint':
      return `checkpoint ${printable(event.path)}`;
    case 'finish':
      return finish(event, begun);
    case 'step':
    case 'test':
    case 'orthogonality':
    case 'confusion':
    case 'progress':
      return undefined;
  }
}

function start(event: EventOf<'start'>): string {
  const { step, truncated, to_beat = [], metric_for_best_model = '' } = event;
  const others = describeBaselines(to_beat);
  const begin =
    `${event.method} on ${event.device}: ${counted(event.train_examples)} examples, ` +
    `${counted(event.total_steps)} steps (${short(event.num_train_epochs)} epochs), ` +
    `${counted(event.trainable_parameters)} trained parameters`;
  return [
    begin,
    ...(event.fold_steps ? [crossValidation(event)] : []),
    ...(event.chosen ?? []).map((one) => `chosen: ${printable(one)}`),
    ...(step > 0 ? [`continues after step ${step}`] : []),
    ...(truncated > 0 ? [`note: ${cut(event)}`] : []),
    ...(others === '' ? [] : [printable(`to beat, ${metric_for_best_model}: ${others}`)]),
  ].join('\n');
}

function crossValidation({ fold_steps = 0, expected_seconds }: EventOf<'start'>): string {
  const time = expected_seconds === undefined ? '' : ` About ${clockTime(expected_seconds)} in all.`;
  return `First a cross-validation of ${counted(fold_steps)} steps estimates the score. The result then learns from all rows.${time}`;
}

function cut({ truncated, train_examples, eval_examples }: EventOf<'start'>): string {
  if (truncated === 1) return '1 text was truncated to the maximum length';
  const percent = (100 * truncated) / (train_examples + eval_examples);
  const share = percent < 1 ? 'under 1' : Math.round(percent);
  return `${counted(truncated)} texts (${share} %) were truncated to the maximum length`;
}

function evaluation(event: EventOf<'evaluation'>, begun: EventOf<'start'> | undefined): string {
  const best = event.best && isAnyGood(event, begun) ? '  (best so far)' : '';
  return `evaluation at step ${event.step}, epoch ${short(event.epoch!)}: ${scores(event, begun?.averages)}${best}`;
}

/** Whether the model beats a baseline that ignores the text. If not, the model is not called best. */
function isAnyGood(event: EventOf<'evaluation'>, begun: EventOf<'start'> | undefined): boolean {
  const { metric_for_best_model: metric, to_beat } = begun ?? {};
  if (metric === undefined || to_beat === undefined) return true;
  return !isNoBetterThanFloor(event[`eval_${metric}`]!, to_beat, scoreDefinition(metric)?.lessIsBetter);
}

function finish(event: FinishEvent, begun: EventOf<'start'> | undefined): string {
  const reasons = {
    done: 'done',
    early: 'stopped early: no better evaluation',
    stop_at_step: 'stopped by stop_at_step',
    stopped: 'stopped',
  };
  const result = scores(event.metrics, begun?.averages);
  const { adapter_parameters: before = 0, trainable_parameters: all = 0 } = begun ?? {};
  const dropped = before - (event.adapter_parameters ?? before);
  return (
    `${reasons[event.reason]} at step ${event.step} after ${clockTime(event.total_runtime ?? event.train_runtime)}, ` +
    `${Math.round(event.train_samples_per_second)} examples/s, peak memory ${Math.round(event.peak_memory_mb)} MB` +
    (dropped > 0 && isTuned(event.verdict) ? `, ${counted(all - dropped)} trained parameters kept` : '') +
    (result === '' ? '' : `\n${result}`)
  );
}

/** Formats the scores among `eval_` numbers: `loss 0.6120, accuracy 0.7041`. */
function scores(metrics: object, averages: Averages = {}): string {
  return [...readScores(metrics)]
    .map(([name, value]) => `${printable(averaged(name, averages[name]))} ${value.toFixed(4)}`)
    .join(', ');
}

function short(value: number): string {
  return `${Number(value.toFixed(2))}`;
}

/** The evaluations of a run, with the training loss between them. */
export class RunTable {
  readonly #rows: { event: EventOf<'evaluation'>; loss: number | undefined }[] = [];
  #losses: number[] = [];

  add(event: TrainEvent): void {
    if (event.type === 'step') this.#losses.push(event.loss);
    if (event.type !== 'evaluation') return;
    this.#rows.push({ event, loss: this.#losses.length > 0 ? mean(this.#losses) : undefined });
    this.#losses = [];
  }

  /** A table with a line for each evaluation. Undefined for less than two. */
  text(averages: EventOf<'start'>['averages'] = {}): string | undefined {
    if (this.#rows.length < 2) return undefined;
    const names = [...readScores(this.#rows[0]!.event).keys()];
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
      ...names.map((name) => Number(row.event[`eval_${name}`] ?? Number.NaN).toFixed(4)),
      row === best ? 'best' : '',
    ]);
    return aligned([head, ...lines])
      .map(printable)
      .join('\n');
  }
}
