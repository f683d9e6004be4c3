import { isAdapterHub, isAdapterHubTensor } from '../../formats/adapters/adapterhub-config.ts';
import type { AdapterTensors, StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import type { AdapterKind } from '../adapter-kind.ts';
import { parseAdapterHubSettings } from './adapterhub-settings.ts';
import { importBottlenecks } from './import-bottlenecks.ts';

/** Bottleneck adapters in the files of AdapterHub's `adapters`. */
export const bottleneckKind: AdapterKind = {
  name: 'BOTTLENECK',
  reads: ({ config }) => isAdapterHub(config),
  import: (model, stored, where) => importBottlenecks(model, stored, settingsOf(stored, where), where),
  facts(stored, where) {
    const { reads, nonLinearity } = settingsOf(stored, where);
    const sizes = bottlenecks(stored.tensors);
    const different = [...new Set(sizes)];
    return {
      ranks: {},
      settings: {
        adapters: sizes.length,
        bottleneck: different.length === 1 ? different[0] : different,
        non_linearity: nonLinearity,
        original_ln_before: reads === 'norm',
      },
      isOwn: isAdapterHubTensor,
    };
  },
  exports: {},
  unmergeable: 'it has layers of its own that no weight of the base can hold',
};

function settingsOf({ config }: StoredAdapter, where: string) {
  return parseAdapterHubSettings(config.config as Record<string, unknown>, where);
}

/** The size of each adapter. */
function bottlenecks(tensors: AdapterTensors): number[] {
  return [...tensors].flatMap(([key, { shape }]) => (key.endsWith('.adapter_down.0.bias') ? shape : []));
}
