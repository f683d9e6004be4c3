import { add, cast, concat, constant, expand, iota, reshape, slice } from '../../engine/graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { ModelInputs } from '../../models/model-definition.ts';
import { forEveryText } from '../../models/nn/embedding.ts';
import type { AttentionCache } from '../../models/nn/key-value-cache.ts';
import type { VirtualTokens } from '../../models/nn/virtual-tokens.ts';

/**
 * Puts virtual tokens before those of every text. Positions of a text, and of every document in it, start after
 * them. Heads by token compute logits of the text's tokens only.
 */
export function withVirtualTokens(inputs: ModelInputs, virtual: VirtualTokens): ModelInputs {
  const { batch, sequence, inputIds } = inputs;
  const { graph } = inputIds.node;
  const { count } = virtual;
  const integer = (value: number) => constant(graph, [value], [1, 1], 'int32');
  const attentionMask = concat([expand(integer(1), [batch, count]), inputs.attentionMask], 1);
  const positionIds = sum(inputs.positionIds, integer(count));
  if (!virtual.embeddings)
    return { ...inputs, virtual, attentionMask, positionIds, cache: stateCache(virtual, batch) };
  const own = expand(reshape(iota(graph, count), [count, 1]), [count, batch]);
  const before = multiplyDimensions(count, batch);
  const whole = addDimensions(count, sequence);
  const rows = multiplyDimensions(whole, batch);
  return {
    ...inputs,
    virtual,
    attentionMask,
    sequence: whole,
    // Ids that are not read.
    inputIds: concat([expand(integer(0), [count, batch]), inputIds], 0),
    positionIds: concat([own, positionIds], 0),
    logitRows: inputs.logitRows
      ? sum(inputs.logitRows, last(iota(graph, addDimensions(before, 1)), before))
      : slice(iota(graph, rows), 0, before, rows),
  };
}

/** A cache that starts with the keys and values of virtual tokens. */
function stateCache({ count, states }: VirtualTokens, batch: Dimension): AttentionCache {
  return {
    past: count,
    extend: (name, rows) => concat([forEveryText(states!(name), batch), rows], 0),
    keep: (_name, _source, _heads, rows) => rows(),
  };
}

/** The sum of integers. The engine adds floats, which represent them exactly up to 2^24. */
function sum(a: Value, b: Value): Value {
  return cast(add(cast(a, 'float32'), cast(b, 'float32')), 'int32');
}

function last(values: Value, before: Dimension): Value {
  return slice(values, 0, before, addDimensions(before, 1));
}
