import { input } from '../../engine/graph/build.ts';
import { Graph } from '../../engine/graph/graph.ts';
import { plainGraph, readType } from '../../engine/graph/plain-graph.ts';
import { type ScoreFunction, scoreEach } from '../../methods/tuners/allocation/allocator.ts';
import type { OwnCall } from '../../methods/tuners/own-function.ts';
import { type LossFunction, ownLoss } from '../../program/objectives/own-loss.ts';
import { computeOwn, type OwnMetrics } from '../../scores/metrics/own-metrics.ts';
import { shown, UserError } from '../../support/user-error.ts';
import type { StepState } from '../../training/train/step-control.ts';
import type { RunCallbacks } from './run-callbacks.ts';

/**
 * A training's call of one of the user's functions. The functions stay where the user wrote them, so they may be of any
 * form and use variables from outside. Between threads, arguments and results are messages.
 */
export type RunCall =
  | OwnCall
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
  const { name, where } = call;
  const own = guarded(functions.get(name)!, where);
  switch (call.what) {
    case 'score':
      return scoreEach(numbersOnly(own, where) as ScoreFunction, call.importances);
    case 'schedule':
      return numbersOnly(own, where)(call.step as never);
    case 'loss':
      return lossGraph(own as LossFunction, call);
  }
}

function lossGraph(own: LossFunction, { logits, labels, where }: Extract<OwnCall, { what: 'loss' }>) {
  const graph = new Graph();
  const given = Object.entries({ logits, labels }).map(([name, type]) => {
    const { dtype, shape } = readType(type);
    return input(graph, name, dtype, [...shape]);
  });
  const loss = ownLoss(own, given[0]!, given[1]!);
  try {
    return plainGraph(loss, given);
  } catch (error) {
    throw new UserError({ where, fault: (error as Error).message });
  }
}

/** Turns an error of the user's function into a UserError that names its key. */
function guarded(own: (...given: never[]) => unknown, where: string): (...given: never[]) => unknown {
  return (...given) => {
    try {
      return own(...given);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError({ where, fault: `threw "${error instanceof Error ? error.message : error}"` });
    }
  };
}

function numbersOnly(own: (...given: never[]) => unknown, where: string): (...given: never[]) => number {
  return (...given) => {
    const result = own(...given);
    if (typeof result === 'number' && !Number.isNaN(result)) return result;
    const isAsync = result instanceof Promise;
    throw new UserError({
      where,
      fault: `must return a number, got ${isAsync ? 'a promise' : shown(result)}`,
      hint: isAsync ? 'It must not be asynchronous.' : undefined,
    });
  };
}
