import type { Value } from '../../graph/graph.ts';
import type { Network } from '../../nn/network.ts';
import type { ModelInputs } from '../model-definition.ts';

/** The base model of a family: the hidden states of its last layer, [sequence · batch, width]. */
export type Encode<Config> = (network: Network, config: Config, inputs: ModelInputs) => Value;
