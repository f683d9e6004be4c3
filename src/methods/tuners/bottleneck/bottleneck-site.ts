import type { Sublayer } from '../../../models/nn/network.ts';
import type { TrainedParameter } from '../parameter-layout.ts';

/** A sublayer with an adapter after it. */
export interface BottleneckSite {
  sublayer: Sublayer;
  /** Number of features between the two projections. */
  bottleneck: number;
}

/** The name of adapters within a model. It is also AdapterHub's usual name. */
export const ADAPTER_NAME = 'default';

/** AdapterHub's modules of a layer for adapters that are not in the sublayer's own module. */
const MODULES: Readonly<Record<Sublayer['kind'], string>> = {
  attention: 'attention_adapters',
  crossAttention: 'cross_attention_adapters',
  feedForward: 'output_adapters',
};

/** The parts of an adapter, by AdapterHub's names below its path. */
const PARTS = {
  down: 'adapter_down.0.weight',
  downBias: 'adapter_down.0.bias',
  up: 'adapter_up.weight',
  upBias: 'adapter_up.bias',
} as const;

export type BottleneckPart = keyof typeof PARTS;
export const PART_NAMES = Object.keys(PARTS) as BottleneckPart[];

/**
 * AdapterHub's name of a part. In BERT and related families, adapters are in the modules `output`. In all others, they
 * have a module of their own.
 */
export function partName({ path, kind }: Sublayer, part: BottleneckPart, adapter = ADAPTER_NAME): string {
  const owner = path.endsWith('.output') ? path : path.replace(/[^.]+$/, MODULES[kind]);
  return `${owner}.adapters.${adapter}.${PARTS[part]}`;
}

/** The trained parameters of a site, in AdapterHub's order. */
export function siteParameters({ sublayer, bottleneck }: BottleneckSite): TrainedParameter[] {
  const shapes: Record<BottleneckPart, number[]> = {
    down: [bottleneck, sublayer.width],
    downBias: [bottleneck],
    up: [sublayer.width, bottleneck],
    upBias: [sublayer.width],
  };
  return PART_NAMES.map((part) => ({ name: partName(sublayer, part), shape: shapes[part] }));
}
