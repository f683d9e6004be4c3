import type { z } from 'zod';
import type { TaskName, TaskType } from '../../data/task-type.ts';
import {
  type CausalData,
  causalDataSchema,
  type MaskedData,
  maskedDataSchema,
  type SequenceData,
  sequenceDataSchema,
} from './data-sections.ts';
import { type Problem, shown } from '../../support/problem.ts';

type DataSchemas = Record<TaskType, typeof sequenceDataSchema> & {
  causal_lm: typeof causalDataSchema;
  masked_lm: typeof maskedDataSchema;
};

/** The `data` section of each task. */
export type DataOf = { [Task in TaskName]: z.output<DataSchemas[Task]> };
export type AnyData = DataOf[TaskName];

/** What a config may say of a task. */
interface TaskSettings<Task extends TaskName> {
  data: DataSchemas[Task];
  /** Scores by which models are compared, the default first. */
  metrics: readonly string[];
  /** Default batch sizes. A language model's logits are as wide as its vocabulary. */
  batchSize: { train: number; eval: number };
  /** What is wrong between keys of a section that are right each for itself. */
  problems: (data: DataOf[Task]) => Problem[];
}

const SEQUENCES = { batchSize: { train: 32, eval: 64 }, problems: labelProblems };
const LANGUAGE = { metrics: ['loss', 'perplexity'], batchSize: { train: 8, eval: 8 } };

/** Every task that a config can name. */
export const TASK_SETTINGS: { readonly [Task in TaskName]: TaskSettings<Task> } = {
  single_label_classification: {
    ...SEQUENCES,
    data: sequenceDataSchema,
    metrics: ['accuracy', 'f1', 'matthews_correlation', 'loss'],
  },
  regression: { ...SEQUENCES, data: sequenceDataSchema, metrics: ['pearson', 'spearmanr', 'mse', 'loss'] },
  multi_label_classification: { ...SEQUENCES, data: sequenceDataSchema, metrics: ['f1', 'accuracy', 'loss'] },
  causal_lm: { ...LANGUAGE, data: causalDataSchema, problems: contentProblems },
  masked_lm: { ...LANGUAGE, data: maskedDataSchema, problems: maskingProblems },
};

export const TASK_NAMES = Object.keys(TASK_SETTINGS) as TaskName[];

/** Scores that are better when less. */
export const LESS_IS_BETTER: readonly string[] = ['loss', 'mse', 'perplexity'];

/** The tasks in whose `data` section a key may stand. */
export function tasksWith(key: string): TaskName[] {
  return TASK_NAMES.filter((task) => Object.hasOwn(TASK_SETTINGS[task].data.shape, key));
}

function labelProblems({ text, text_pair, label }: SequenceData): Problem[] {
  if (label !== text && label !== text_pair) return [];
  const expected = `another column than data.${label === text ? 'text' : 'text_pair'}`;
  return [{ path: ['data', 'label'], expected, got: shown(label) }];
}

function contentProblems({ text, prompt, completion, messages }: CausalData): Problem[] {
  const kinds = {
    text: text !== undefined,
    'prompt and completion': prompt !== undefined || completion !== undefined,
    messages: messages !== undefined,
  };
  const named = Object.entries(kinds).flatMap(([kind, isNamed]) => (isNamed ? [kind] : []));
  if (named.length < 2) return [];
  const expected = 'the keys of one kind of row (text, prompt and completion, or messages)';
  return [{ path: ['data'], expected, got: named.join(' as well as ') }];
}

function maskingProblems({ mask_replace_prob, random_replace_prob }: MaskedData): Problem[] {
  const sum = mask_replace_prob + random_replace_prob;
  if (sum <= 1) return [];
  const expected = 'at most 1 together with mask_replace_prob';
  return [{ path: ['data', 'random_replace_prob'], expected, got: shown(sum) }];
}
