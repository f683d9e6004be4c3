import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import type { Sublayer } from '../../../models/nn/network.ts';
import type { TunableModel } from '../tuner.ts';
import { ADAPTERS_VERSION, adapterHubSettings } from './adapterhub-settings.ts';
import type { BottleneckForm } from './bottleneck-injection.ts';
import { ADAPTER_NAME } from './bottleneck-site.ts';
import type { BottleneckTuner } from './bottleneck-tuner.ts';

/** What the files say about a run's adapters. */
export interface StoredBottlenecks extends BottleneckForm {
  sublayers: readonly Sublayer['kind'][];
  bottleneck: number;
}

/**
 * Stores trained values as AdapterHub's `save_adapter` writes them.
 *
 * @param labels class names by id; missing for tasks without labels
 */
export function storeBottlenecks(
  { definition, head, config, sublayers: modelSublayers }: TunableModel,
  { bottleneck, sublayers, ...form }: StoredBottlenecks,
  { layout, saved }: BottleneckTuner,
  values: Float32Array,
  { baseModel, labels }: { baseModel: string; labels: readonly string[] },
): StoredAdapter {
  const { width } = modelSublayers[0]!;
  const common = {
    hidden_size: width,
    model_class: head.architecture,
    model_name: baseModel,
    model_type: definition.modelType,
    version: ADAPTERS_VERSION,
  };
  const { numLabels } = config;
  const names = labels.length > 0 ? labels : Array.from({ length: numLabels }, (_, id) => `LABEL_${id}`);
  return {
    config: {
      ...common,
      config: adapterHubSettings(form, sublayers, width, bottleneck),
      name: ADAPTER_NAME,
    },
    tensors: new Map(
      layout.segments.map(({ name, shape }) => [
        name,
        { shape: [...shape], data: layout.read(values, name) },
      ]),
    ),
    baseModel,
    ...(saved.length > 0 && {
      head: {
        ...common,
        config: null,
        label2id: Object.fromEntries(names.map((label, id) => [label, id])),
        name: null,
        num_labels: numLabels,
      },
    }),
  };
}
