import { gather } from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Encode, ModelInputs } from '../model-definition.ts';
import { lastTokenRows } from '../nn/last-rows.ts';
import type { Network } from '../nn/network.ts';

/**
 * The hidden state of each example's last token that is not padding, [batch, width], from a decoder.
 *
 * @param encode a model that returns only the rows in `inputs.asked`
 * @param padTokenId undefined if only the mask marks padding
 */
export function encodeLast<Config>(
  encode: Encode<Config>,
  network: Network,
  config: Config,
  inputs: ModelInputs,
  padTokenId: number | undefined,
): Value {
  const asked = lastTokenRows(inputs, padTokenId);
  if (inputs.everyRow || inputs.cache) return gather(encode(network, config, inputs), asked);
  return encode(network, config, { ...inputs, asked });
}
