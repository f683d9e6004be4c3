import { gather } from '../../../graph/build.ts';
import { firstTokens } from '../../../nn/first-tokens.ts';
import { lastTokenRows } from '../../../nn/last-rows.ts';
import { meanTokens, normalised } from '../../../nn/pool-tokens.ts';
import type { CommonConfig, Encode, Head } from '../../model-definition.ts';
import { PLAIN_SENTENCE } from '../../sentence-settings.ts';
import { encodeLast } from '../encode-last.ts';

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
    outputs: width,
    build(network, config, inputs) {
      const { mode, normalize } = (config.sentence ?? PLAIN_SENTENCE).pooling;
      const base = network.without(prefix);
      const shortens = !inputs.onTokens;
      const encoded = () => {
        const rows = encode(base, config, inputs, shortens && mode === 'cls' ? 'first' : 'all');
        inputs.onTokens?.(rows);
        return rows;
      };
      const pooled =
        mode === 'mean'
          ? meanTokens(encoded(), inputs)
          : mode === 'cls'
            ? firstTokens(encoded(), inputs)
            : shortens && kind === 'decoder'
              ? encodeLast(encode, base, config, inputs, undefined)
              : gather(encoded(), lastTokenRows(inputs, undefined));
      return normalize ? normalised(pooled) : pooled;
    },
  };
}
