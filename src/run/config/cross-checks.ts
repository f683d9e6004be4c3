import type { BaseDtype } from '../../bases/base-dtype.ts';
import { ownMetricProblems } from '../../metrics/own-metrics.ts';
import { type Problem, shown } from '../../support/problem.ts';
import { heldOutShare, placeProblems } from '../../tasks/data-files.ts';
import { type TaskName, taskNamed } from '../../tasks/registry.ts';
import type { BaseData } from '../../tasks/task-definition.ts';
import type { MethodName } from '../../tuners/registry.ts';
import { methodProblems } from './method-problems.ts';
import { trainingProblems } from './training-problems.ts';
import type { TrainingSection } from './training-section.ts';

/** Sections of a config that are individually valid. */
export interface SoundSections {
  task?: TaskName;
  model_init?: 'checkpoint' | 'random';
  base_dtype?: BaseDtype;
  method?: MethodName;
  /** The method's section. */
  settings?: Record<string, unknown>;
  adapter?: string;
  defaults?: 'chosen' | 'huggingface';
  /** The task's section. */
  data?: BaseData;
  training?: TrainingSection;
}

/**
 * Finds problems between keys that are each valid.
 *
 * @param ownMetrics names of custom scores
 */
export function crossCheck(sections: SoundSections, ownMetrics: readonly string[] = []): Problem[] {
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
  if (heldOutShare(validation) === undefined || taskNamed(task).holdOut) return [];
  const fault = `must be a file for task ${task}, which cannot hold out rows, got ${shown(validation)}`;
  return [{ path: ['data', 'validation'], fault }];
}

/** Finds tasks whose evaluations do not report predictions, which custom scores need. */
function answerProblems(ownMetrics: readonly string[], task: TaskName, data: BaseData): Problem[] {
  if (ownMetrics.length === 0 || taskNamed(task).tellsAnswers?.(data)) return [];
  const fault = `(${ownMetrics.join(', ')}) cannot be computed, because ${task} evaluates the loss only with this data section`;
  return [{ path: ['metrics'], fault }];
}
