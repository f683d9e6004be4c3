import { firstTokens } from '../../../nn/first-tokens.ts';
import { lastTokens } from '../../../nn/last-rows.ts';
import { meanTokens, normalised } from '../../../nn/pool-tokens.ts';
import type { CommonConfig, Encode, Head } from '../../model-definition.ts';
import { PLAIN_SENTENCE } from '../../sentence-settings.ts';

/**
 * A base model without a head; its hidden states are pooled to one vector per text. Parameters are named as
 * in the base model alone, without a prefix.
 *
 * @param prefix the prefix of the base model's parameters under other heads
 * @param width the size of a hidden state
 */
export function featureHead<Config extends CommonConfig>(
  architecture: string,
  prefix: string,
  encode: Encode<Config>,
  width: (config: Config) => number,
): Head<Config> {
  return {
    architecture,
    baseModelPrefix: '',
    modules: [],
    outputs: width,
    build(network, config, inputs) {
      const { mode, normalize } = (config.sentence ?? PLAIN_SENTENCE).pooling;
      const base = network.without(prefix);
      const shortens = mode === 'cls' && !inputs.onTokens;
      const hidden = encode(base, config, inputs, shortens ? 'first' : 'all');
      inputs.onTokens?.(hidden);
      const pooled =
        mode === 'mean'
          ? meanTokens(hidden, inputs)
          : mode === 'lasttoken'
            ? lastTokens(hidden, inputs, undefined)
            : firstTokens(hidden, inputs);
      return normalize ? normalised(pooled) : pooled;
    },
  };
}
