import type { TaskName } from '../data/task-type.ts';
import { causalTask } from './causal-lm/definition.ts';
import { maskedTask } from './masked-lm/definition.ts';
import type { RunTask } from './task-definition.ts';
import { sequenceTask } from './labelled-texts/sequence-task.ts';

/** Every task. What they make of rows is their own affair. */
// biome-ignore lint/suspicious/noExplicitAny: rows go from one function of a task to another of the same
const TASKS: { readonly [Task in TaskName]: RunTask<Task, any> } = {
  single_label_classification: sequenceTask('single_label_classification'),
  regression: sequenceTask('regression'),
  multi_label_classification: sequenceTask('multi_label_classification'),
  causal_lm: causalTask,
  masked_lm: maskedTask,
};

/** The task of a name. Give it the `data` section of that task alone. */
export function runTask(name: TaskName): RunTask {
  return TASKS[name] as RunTask;
}
