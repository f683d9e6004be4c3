import { gather } from '../../engine/graph/build.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { CommonConfig, Encode, Head, ModelInputs } from '../model-definition.ts';
import { firstTokens, lastTokenRows } from '../nn/last-rows.ts';
import type { Network } from '../nn/network.ts';
import { meanTokens, ofTexts, toUnitLength } from '../nn/pool-tokens.ts';
import { PLAIN_SENTENCE } from '../sentence-settings.ts';

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

/**
 * A base model without a head; its hidden states are pooled to one vector per text. Parameters are named as
 * in the base model alone, without a prefix.
 *
 * @param prefix the prefix of the base model's parameters under other heads
 * @param width the size of a hidden state
 * @param kind a decoder computes its last layer only for the tokens that are pooled
 */
export function featureHead<Config extends CommonConfig>(
  architecture: string,
  prefix: string,
  encode: Encode<Config>,
  width: (config: Config) => number,
  kind: 'encoder' | 'decoder' = 'encoder',
): Head<Config> {
  return {
    architecture,
    baseModelPrefix: '',
    modules: [],
    unread: ['pooler'],
    outputs: width,
    build(network, config, inputs) {
      const { mode, normalize } = (config.sentence ?? PLAIN_SENTENCE).pooling;
      const base = inputs.belowHead ? network : network.without(prefix);
      const pooled = () => {
        const shortens = !inputs.onTokens;
        if (mode === 'lasttoken' && shortens && kind === 'decoder')
          return ofTexts(encodeLast(encode, base, config, inputs, undefined), inputs);
        const hidden = encode(base, config, inputs, shortens && mode === 'cls' ? 'first' : 'all');
        inputs.onTokens?.(hidden);
        if (mode === 'mean') return meanTokens(hidden, inputs);
        if (mode === 'cls') return ofTexts(firstTokens(hidden, inputs), inputs);
        return ofTexts(gather(hidden, lastTokenRows(inputs, undefined)), inputs);
      };
      return normalize ? toUnitLength(pooled()) : pooled();
    },
  };
}
