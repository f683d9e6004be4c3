import { METHOD_NAMES, type MethodName, methodNamed } from '../../../methods/tuners/registry.ts';
import { ownMetricProblems } from '../../../scores/metrics/own-metrics.ts';
import { type Problem, shown } from '../../../support/user-error.ts';
import { heldOutShare, placeProblems } from '../../../tasks/data-files.ts';
import { type TaskName, taskNamed } from '../../../tasks/registry.ts';
import type { BaseData } from '../../../tasks/task-definition.ts';
import type { SoundConfig } from './sound-config.ts';
import { trainingProblems } from './training-problems.ts';

/**
 * Finds problems between keys that are each valid.
 *
 * @param ownMetrics names of custom scores
 */
export function crossCheck(sections: SoundConfig, ownMetrics: readonly string[] = []): Problem[] {
  const { task, data, training } = sections;
  return [
    ...ownMetricProblems(ownMetrics),
    ...(task && data ? answerProblems(ownMetrics, task, data) : []),
    ...(sections.method ? methodProblems(sections.method, sections) : []),
    ...(task && data ? (taskNamed(task).problems?.(data) ?? []) : []),
    ...(data ? placeProblems(data) : []),
    ...(task && data ? splitProblems(task, data) : []),
    ...(training ? trainingProblems(training, sections, ownMetrics) : []),
  ];
}

function splitProblems(task: TaskName, { validation }: BaseData): Problem[] {
  if (heldOutShare(validation) === undefined || taskNamed(task).files.splittable) return [];
  const fault = `must be a file for task ${task}, which cannot hold out rows, got ${shown(validation)}`;
  return [{ path: ['data', 'validation'], fault }];
}

/** Finds tasks whose evaluations do not report predictions, which custom scores need. */
function answerProblems(ownMetrics: readonly string[], task: TaskName, data: BaseData): Problem[] {
  if (ownMetrics.length === 0 || taskNamed(task).scores.tellsAnswers?.(data)) return [];
  const fault = `(${ownMetrics.join(', ')}) cannot be computed, because ${task} evaluates the loss only with this data section`;
  return [{ path: ['metrics'], fault }];
}

/** Finds problems between the method and the model or adapter that the run starts from. */
function methodProblems(method: MethodName, sections: SoundConfig): Problem[] {
  const { adapter, model_init, base_dtype = 'float32' } = sections;
  const { trains, continues, kind, requiredBase } = methodNamed(method);
  const problems: Problem[] = [];
  if (adapter !== undefined && !continues) {
    problems.push({
      path: ['adapter'],
      fault: `requires method ${methodsThat((name) => methodNamed(name).continues !== undefined)}, got ${method}`,
      hint:
        kind?.unmergeable === undefined
          ? 'Merge the adapter (adalora export --as merged) and set model to the result.'
          : 'Such an adapter is trained in one run. Resume that run with more steps (--resume).',
    });
  }
  const required = sections.settings && requiredBase?.(sections.settings);
  if (required && required.dtype !== base_dtype) {
    problems.push({
      path: ['base_dtype'],
      fault: `must be ${required.dtype} with ${method}.${required.key}, got ${base_dtype}`,
      hint: `Set base_dtype: ${required.dtype}, or another start.`,
    });
  }
  if (trains === 'adapter' && model_init === 'random') {
    problems.push({
      path: ['model_init'],
      fault: `cannot be random with method ${method}, because the adapter would belong to weights that are not saved`,
      hint: `Set method: ${methodsThat((name) => methodNamed(name).trains === 'model')}.`,
    });
  }
  if (trains === 'model' && base_dtype !== 'float32') {
    problems.push({
      path: ['base_dtype'],
      expected: `float32 with method ${method}, which trains every weight`,
      got: base_dtype,
      hint: `Train an adapter (method: ${methodsThat((name) => methodNamed(name).trains === 'adapter')}), or remove base_dtype.`,
    });
  }
  return problems;
}

function methodsThat(fits: (name: MethodName) => boolean): string {
  const names = METHOD_NAMES.filter(fits);
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' or ');
}
