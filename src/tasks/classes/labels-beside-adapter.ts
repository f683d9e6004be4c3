import { headOutputs } from '../../methods/tuners/adapter-kind.ts';
import { InvalidData, UserError } from '../../support/user-error.ts';
import type { BuildTask, LabelOrigin } from '../task-definition.ts';

/**
 * The classes of a run. A continued adapter keeps its classes and their order. Otherwise, they are those of the data.
 *
 * @throws UserError if the data have other classes, or their number differs from the outputs of the adapter's head
 */
export function labelsBesideAdapter(
  ofData: readonly string[],
  { fileName: where, definition, config, adapter }: LabelOrigin,
  build: (labels: readonly string[]) => BuildTask,
): readonly string[] {
  if (!adapter) return ofData;
  const known = adapter.labels;
  const stranger = known && ofData.find((name) => !known.includes(name));
  if (stranger !== undefined) {
    throw new UserError({
      where,
      fault: `has "${stranger}", which is not a label of the adapter ${adapter.path} (${known?.join(', ')})`,
      code: 'unknown_label',
    });
  }
  const labels = known ?? ofData;
  const outputs = headOutputs(build(labels)(definition, config), adapter.tensors);
  if (outputs === undefined || outputs === labels.length) return labels;
  throw new InvalidData({
    where,
    fault: `has ${labels.length} labels, but the head of the adapter ${adapter.path} has ${outputs}`,
  });
}
