import { expect, it } from 'vitest';
import { feedsOf, named, withPrefix } from '../../../scripts/conformance/read-case.ts';
import { measuredModel } from '../../../tests/support/measure-inputs-in.ts';
import { readSafetensors } from '../../../tests/support/safetensors-file.ts';
import { nodeEngine } from '../../program/node/node-engine.ts';
import { moduleInputs } from './measure-first.ts';

const ATTENTION = 'transformer.h.0.attn.c_attn';

/** The number of rows that a module reads, for a batch in which the first `prompt` tokens have no label. */
async function rowsRead(prompt: number): Promise<{ rows: number; labeled: number }> {
  const { model } = measuredModel('gpt2');
  const batch = withPrefix(readSafetensors('src/methods/tuners/fixtures/eva/gpt2/batches.safetensors'), '0.');
  const ids = named(batch, 'input_ids');
  const mask = named(batch, 'attention_mask').data as BigInt64Array;
  const [, length] = ids.shape as [number, number];
  const data = (ids.data as BigInt64Array).map((id, i) =>
    i % length < prompt || mask[i] === 0n ? -100n : id,
  );
  const feeds = feedsOf(model, new Map([...batch, ['labels', { ...ids, data }]]));
  let rows = 0;
  for await (const [input] of moduleInputs({ model, engine: nodeEngine(model, 'cpu') }, [ATTENTION], [feeds]))
    rows += input!.rows.length / input!.width;
  model.close();
  return { rows, labeled: data.filter((id) => id !== -100n).length };
}

// PEFT counts the tokens whose own label is not -100.
it.each([0, 2, 3])(
  'the inputs of a language model are the labeled tokens, after a prompt of %d',
  async (prompt) => {
    const { rows, labeled } = await rowsRead(prompt);
    expect(labeled).toBeGreaterThan(0);
    expect(rows).toBe(labeled);
  },
);
