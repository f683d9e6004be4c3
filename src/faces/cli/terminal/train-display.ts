import { averaged } from '../../../scores/metrics/scores.ts';
import { clockTime } from '../../../studies/report/format.ts';
import { rankTable } from '../../../studies/report/rank-table.ts';
import { TimeLeft } from '../../../studies/report/run/timeline.ts';
import { findingSentences, verdictSentence } from '../../../studies/report/verdict-sentence.ts';
import { printable } from '../../../support/text.ts';
import type { EventOf, FinishEvent, ProgressEvent, TrainEvent } from '../../../training/run/events.ts';
import { isTuned } from '../../../training/run/verdict.ts';
import { describeEvent, RunTable } from './describe-event.ts';
import { heatMap } from './heat-map.ts';
import { colorsFor, ERASE_LINE, type Screen } from './screen.ts';

export interface Display {
  show(event: TrainEvent): void;
  /** Cleans up the screen, so that later output starts on a new line. */
  close(): void;
}

/**
 * Minimum time between two redraws, in milliseconds. More frequent redraws are unreadable, and slow terminals
 * lag.
 */
const REDRAW_MS = 100;
const BAR_WIDTH = 20;
/** If lines are not redrawn, a progress line is printed whenever this share of the tokenization is done. */
const TOLD_SHARE = 0.1;

const LOADING = {
  download: 'fetching the model',
  base: 'quantizing the base model',
  preparation: 'preparing rows',
  text: 'tokenizing',
  folds: 'cross-validating',
} as const;

/** Prints every event as a line of JSON. NaN becomes null. */
export function jsonDisplay(screen: Screen): Display {
  return { show: (event) => screen.write(`${JSON.stringify(event)}\n`), close: () => {} };
}

/** A run with more steps is not small. */
const MAX_SMALL_STEPS = 1000;
/** Minimum time between two lines of a small run if they are not redrawn, in milliseconds. */
const PATIENCE_MS = 10_000;

interface DisplayOptions {
  /** A clock in milliseconds, with any origin. */
  now?: () => number;
  /** Whether an event is shown. Hidden events are still recorded. */
  isTold?: (event: TrainEvent) => boolean;
  /** Shows evaluations of small runs in a table at the end. Default: true. */
  hasTable?: boolean;
  /** Shows only the result. */
  isQuiet?: boolean | undefined;
}

/**
 * Shows a run. On a terminal, a line with the newest step is redrawn below the earlier output. Elsewhere,
 * steps have their own lines, and checkpoints are not shown. A small run ends with a table of its evaluations instead of
 * a line for each.
 *
 * @param metric a score, without `eval_`; the progress line repeats its value from the last evaluation
 */
export function trainDisplay(
  screen: Screen,
  metric: string,
  {
    now = () => performance.now(),
    isTold = () => true,
    hasTable = true,
    isQuiet = false,
  }: DisplayOptions = {},
): Display {
  const isLive = screen.isTTY === true;
  const colors = colorsFor(screen);
  const timeLeft = new TimeLeft(now);
  let totalSteps = 0;
  let score: number | undefined;
  let begun: EventOf<'start'> | undefined;
  let isDrawn = false;
  let drawnAt = Number.NEGATIVE_INFINITY;
  let toldShare = 0;
  let isSmall = false;
  const course = new RunTable();

  const erase = () => {
    if (isDrawn) screen.write(ERASE_LINE);
    isDrawn = false;
  };
  const print = (text: string) => {
    erase();
    screen.write(`${text}\n`);
  };
  const showStep = (event: EventOf<'step'>, secondsLeft: number) => {
    const line = progress(
      event,
      totalSteps,
      secondsLeft,
      score === undefined
        ? undefined
        : [printable(`eval ${averaged(metric, begun?.averages?.[metric])}`), score],
    );
    if (now() - drawnAt < (isLive ? REDRAW_MS : isSmall ? PATIENCE_MS : 0)) return;
    drawnAt = now();
    if (!isLive) return print(line);
    const width = (screen.columns || 80) - BAR_WIDTH - 2;
    screen.write(`${ERASE_LINE}${colors.cyan(bar(event.step / totalSteps))} ${line.slice(0, width)}`);
    isDrawn = true;
  };
  const showProgress = ({ what, share }: ProgressEvent, secondsLeft: number) => {
    const time = Number.isFinite(secondsLeft) ? `, ${clockTime(secondsLeft)} left` : '';
    const line = `${LOADING[what]} ${Math.round(100 * share)} %${time}`;
    if (isLive) {
      screen.write(`${ERASE_LINE}${colors.cyan(bar(share))} ${line}`);
      isDrawn = true;
    } else if (share - toldShare >= TOLD_SHARE) {
      toldShare = share;
      print(line);
    }
  };

  const showVerdict = (verdict: FinishEvent['verdict']) => {
    if (!verdict) return;
    print(colors.bold(printable(verdictSentence(verdict))));
    const style = verdict.learnt ? colors.yellow : (text: string) => colors.bold(colors.red(text));
    for (const sentence of findingSentences(verdict)) print(style(printable(sentence)));
  };

  return {
    show(event) {
      const secondsLeft = timeLeft.after(event);
      if (event.type === 'start') {
        totalSteps = event.total_steps;
        isSmall = hasTable && totalSteps <= MAX_SMALL_STEPS;
        drawnAt = isLive ? drawnAt : now();
        begun = event;
      }
      if (event.type === 'evaluation') score = event[`eval_${metric}`];
      course.add(event);
      if (isQuiet && event.type !== 'finish') return;
      if (isSmall && event.type === 'evaluation') return;
      if (!isTold(event) || (event.type === 'checkpoint' && !isLive)) return;
      if (event.type === 'step') return showStep(event, secondsLeft);
      if (event.type === 'progress') return showProgress(event, secondsLeft);
      if (event.type === 'finish' && isSmall && !isQuiet) {
        const table = course.text(begun?.averages);
        if (table !== undefined) print(table);
      }
      const text = describeEvent(event, begun);
      if (text === undefined) return;
      const style = { evaluation: colors.bold, notice: colors.yellow, checkpoint: colors.dim };
      print(event.type in style ? style[event.type as keyof typeof style](text) : text);
      if (event.type === 'finish') {
        const ranks = rankLines(event, colors.isColorSupported);
        if (ranks !== undefined && !isQuiet) print(ranks);
        showVerdict(event.verdict);
      }
    },
    close: erase,
  };
}

function progress(
  event: EventOf<'step'>,
  totalSteps: number,
  secondsLeft: number,
  score: [name: string, value: number] | undefined,
): string {
  return [
    `step ${event.step}/${totalSteps}`,
    `loss ${event.loss.toFixed(4)}`,
    ...(score ? [`${score[0]} ${score[1].toFixed(4)}`] : []),
    ...(event.budget === undefined ? [] : [`budget ${event.budget}`]),
    `${Math.round(event.examples_per_second)} examples/s`,
    `${clockTime(secondsLeft)} left`,
    ...(event.skipped_steps > 0 ? [`${event.skipped_steps} skipped`] : []),
  ].join('  ');
}

function bar(share: number): string {
  const full = Math.max(0, Math.min(BAR_WIDTH, Math.round(share * BAR_WIDTH)));
  return '━'.repeat(full) + '─'.repeat(BAR_WIDTH - full);
}

/** The final ranks, if they differ between modules. */
function rankLines({ reason, ranks, verdict }: FinishEvent, color: boolean): string | undefined {
  if (!isTuned(verdict)) return undefined;
  const differ = new Set(Object.values(ranks)).size > 1;
  return reason !== 'stopped' && differ ? heatMap(rankTable(ranks), color) : undefined;
}
