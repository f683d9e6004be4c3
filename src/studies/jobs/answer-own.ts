import type { LossCall } from '../../program/objectives/own-function.ts';
import { type LossFunction, ownLossGraph } from '../../program/objectives/own-loss.ts';
import { computeOwn, type OwnMetrics } from '../../scores/metrics/own-metrics.ts';
import type { StepState } from '../../training/train/step-control.ts';
import type { RunCallbacks } from './run-callbacks.ts';

/**
 * A training's call of one of the user's functions. The functions stay where the user wrote them, so they may be of any
 * form and use variables from outside. Between threads, arguments and results are messages.
 */
export type RunCall =
  | LossCall
  | { what: 'metrics'; predictions: readonly unknown[]; references: readonly unknown[] }
  | { what: 'stepEnd'; state: StepState };

/** The user's functions of a run. */
export interface OwnOfRun {
  /** The functions that the config names. */
  functions: ReadonlyMap<string, (...given: never[]) => unknown>;
  metrics: OwnMetrics;
  callbacks: RunCallbacks;
}

/**
 * Answers a call. The result is a promise for functions that may be asynchronous: metrics and `onStepEnd`.
 *
 * @throws UserError for a function that throws, or returns something else; any error of the metrics
 */
export function answerOwn({ functions, metrics, callbacks }: OwnOfRun, call: RunCall): unknown {
  switch (call.what) {
    case 'metrics':
      return computeOwn(metrics, call.predictions, call.references);
    case 'stepEnd':
      return callbacks.control(call.state);
  }
  return ownLossGraph(functions.get(call.name) as LossFunction, call);
}
