import { z } from 'zod';

export const SLIDING = 'sliding_attention';
export const FULL = 'full_attention';
export type LayerType = typeof SLIDING | typeof FULL;

/** `layer_types` of a config.json: whether a layer sees all tokens or only a window. */
export const layerTypes = z.array(z.enum([FULL, SLIDING]));

interface Layers {
  num_hidden_layers: number;
  layer_types: z.infer<typeof layerTypes>;
  sliding_window?: number | null;
}

/** The type of each layer, for a config.json that does not list them. */
export function typesWhere(count: number, slides: (index: number) => boolean): Layers['layer_types'] {
  return Array.from({ length: count }, (_, i) => (slides(i) ? SLIDING : FULL));
}

export function checkLayerTypes(fields: Layers, context: z.RefinementCtx): void {
  const { num_hidden_layers, layer_types, sliding_window } = fields;
  const report = (message: string) => context.addIssue({ code: 'custom', path: ['layer_types'], message });
  if (layer_types.length !== num_hidden_layers)
    report(`must name num_hidden_layers, ${num_hidden_layers}, types`);
  if (!sliding_window && layer_types.includes(SLIDING)) report(`${SLIDING} needs a sliding_window`);
}

/** The number of tokens that a token sees in a layer. Undefined if it sees all earlier tokens. */
export function findWindow({ layer_types, sliding_window }: Layers, layer: number): number | undefined {
  return layer_types[layer] === SLIDING ? (sliding_window ?? undefined) : undefined;
}
