import type { Value } from '../../../engine/graph/graph.ts';
import type { VirtualTokens } from '../../../models/nn/virtual-tokens.ts';
import { ParameterLayout, type TrainedParameter } from '../parameter-layout.ts';
import type { ReadParameter, TokensBefore, TunedSite, Tuner } from '../tuner.ts';

/** PEFT's name of the trained table: one row per token. */
export const TABLE = 'prompt_encoder.embedding.weight';

/** How a method makes its tokens. */
export interface VirtualParts {
  before: TokensBefore;
  /** The trained tensors of the tokens. */
  own: readonly TrainedParameter[];
  sites: readonly TunedSite[];
  /** The tokens in a graph; `value` returns a trained tensor. */
  tokens(value: (name: string) => Value): VirtualTokens;
  /** Fills in their initial values; `values` returns a tensor. */
  begin(values: (name: string) => Float32Array, seed: number, read: ReadParameter): void;
}

/**
 * Trains tokens before every text, and nothing of the model but `saved`.
 *
 * @param saved parameters of the model that are trained in full: the head
 */
export function virtualTuner(parts: VirtualParts, saved: readonly TrainedParameter[]): Tuner {
  const own = new ParameterLayout([...parts.own, ...saved]);
  const names = new Set(saved.map(({ name }) => name));
  return {
    layout: own,
    sites: parts.sites,
    virtualTokens: parts.before,
    bank: 'puts virtual tokens before every text',
    initialValues(seed, read) {
      const values = new Float32Array(own.length);
      parts.begin((name) => own.read(values, name), seed, read);
      for (const { name, shape } of saved) own.read(values, name).set(read(name, shape));
      return values;
    },
    inject: (flat, _dropout, layout = own) => ({
      parameter: (name) => (names.has(name) ? layout.value(flat, name) : undefined),
      increments: (paths) => paths.map(() => undefined),
      virtual: parts.tokens((name) => layout.value(flat, name)),
    }),
  };
}
