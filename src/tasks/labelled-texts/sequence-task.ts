import { buildLabels, labelMap } from './labels.ts';
import { parseRows } from '../../data/parse-rows.ts';
import type { Row } from '../../data/row.ts';
import type { TaskType } from '../../data/task-type.ts';
import { toTargets } from './to-targets.ts';
import { evaluateMetrics } from '../../metrics/evaluate-metrics.ts';
import { UserError } from '../../support/user-error.ts';
import { evaluationLoss } from '../../objectives/evaluation-loss.ts';
import { sequenceModel } from '../../objectives/sequence-model.ts';
import { headOutputs } from '../../tuners/stored/head-outputs.ts';
import type { Scores } from '../../program/example-set.ts';
import { encodedSet } from './encoded-set.ts';
import { predictAll } from '../../program/predict-all.ts';
import type { EncodingContext, LabelOrigin, RunTask } from '../task-definition.ts';

interface LabelledRows {
  rows: Row[];
  fileName: string;
}

/** Classes of texts, or a score. */
export function sequenceTask(task: TaskType): RunTask<TaskType, LabelledRows> {
  const outputs = (labels: readonly string[]) => (task === 'regression' ? 1 : labels.length);
  const build: RunTask['build'] = (labels) => (definition, config) =>
    sequenceModel(definition, { ...config, numLabels: outputs(labels) }, task);
  const targetsOf = ({ rows, fileName }: LabelledRows, labels: readonly string[]) =>
    toTargets(rows, task, labelMap(labels), fileName);
  const examples = (labelled: LabelledRows, { labels, tokenizer, maxLength }: EncodingContext<TaskType>) =>
    encodedSet(labelled.rows, tokenizer, maxLength, targetsOf(labelled, labels));
  return {
    takesFolders: false,
    build,
    read: ([file], reading) => ({
      rows: parseRows(file.read(), file.name, { ...reading, task }),
      fileName: file.name,
    }),
    labels({ rows, fileName }, origin) {
      const found = buildLabels(rows, task, fileName, origin.config.id2label).names;
      return task === 'regression' ? found : labelsBesideAdapter(found, origin, build);
    },
    examples,
    evaluation(labelled, context, batchSize) {
      const set = examples(labelled, context);
      const numLabels = outputs(context.labels);
      const targets = targetsOf(labelled, context.labels);
      return {
        examples: set,
        output: 'logits',
        async run(program, values) {
          const logits = await predictAll(program, values, set, numLabels, batchSize);
          const scores: Scores = { eval_loss: evaluationLoss(task, logits, numLabels, targets) };
          for (const [name, score] of Object.entries(evaluateMetrics(task, logits, numLabels, targets)))
            scores[`eval_${name}`] = score;
          return scores;
        },
      };
    },
  };
}

/**
 * The classes that the adapter knows, in that order, else those of the data.
 *
 * @throws UserError where the data have others, or another number than the adapter's head
 */
function labelsBesideAdapter(
  found: readonly string[],
  { fileName: where, definition, config, adapter }: LabelOrigin,
  build: RunTask['build'],
): readonly string[] {
  if (!adapter) return found;
  const known = adapter.labels;
  const stranger = known && found.find((name) => !known.includes(name));
  if (stranger !== undefined) {
    const expected = `the labels of the adapter ${adapter.path} (${known?.join(', ')})`;
    throw new UserError({ where, expected, got: `"${stranger}"` });
  }
  const labels = known ?? found;
  const outputs = headOutputs(build(labels)(definition, config), adapter.tensors);
  if (outputs === undefined || outputs === labels.length) return labels;
  throw new UserError({
    where,
    expected: `${outputs} labels, as the head of the adapter ${adapter.path} has`,
    got: `${labels.length}`,
  });
}
