import { describe, expect, it } from 'vitest';
import { cpu } from '../../tests/support/backends.ts';
import { Graph } from '../engine/graph/graph.ts';
import { lower } from '../engine/onnx/lower.ts';
import { inputMagnitudes } from '../program/bases/with-base-dtype.ts';
import { modelFeeds } from '../program/objectives/model-inputs.ts';
import { classLoss, sequenceModel } from '../program/objectives/sequence-loss.ts';
import type { TaskModel } from '../program/objectives/task-model.ts';
import { tokenModel } from '../program/objectives/token-model.ts';
import { elementCount } from '../support/arrays.ts';
import { Random } from '../support/random.ts';
import { Network } from './nn/network.ts';
import { modelFamily } from './registry.ts';

const SIZES = {
  vocab_size: 40,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 24,
  max_position_embeddings: 64,
};
/** Matches the paths of heads' modules. */
const HEAD = /classifier|pooler|^head|^score|lm_head|embed_out/;
const DEBERTA = { model_type: 'deberta-v2', relative_attention: true, position_buckets: 4 };

const CASES: Record<string, { model_type: string } & Record<string, unknown>> = {
  BERT: { model_type: 'bert' },
  RoBERTa: { model_type: 'roberta' },
  ELECTRA: { model_type: 'electra', embedding_size: 8 },
  ModernBERT: { model_type: 'modernbert', local_attention: 4, pad_token_id: 0 },
  ALBERT: { model_type: 'albert', embedding_size: 8 },
  MPNet: { model_type: 'mpnet' },
  DistilBERT: { model_type: 'distilbert', hidden_dim: 24 },
  'DeBERTa with shared projections': { ...DEBERTA, pos_att_type: 'p2c|c2p', share_att_key: true },
  'DeBERTa with projections of positions': { ...DEBERTA, pos_att_type: 'p2c|c2p' },
  'DeBERTa whose queries alone see positions': { ...DEBERTA, pos_att_type: 'c2p' },
  'DeBERTa whose keys alone see positions': { ...DEBERTA, pos_att_type: 'p2c' },
  'DeBERTa without relative positions': { model_type: 'deberta-v2' },
  'DeBERTa with a convolution': { ...DEBERTA, pos_att_type: 'p2c|c2p', conv_kernel_size: 3 },
  'DeBERTa whose only layer has one': { ...DEBERTA, conv_kernel_size: 3, num_hidden_layers: 1 },
};
/** Their heads read the last token that is not padding. */
const DECODERS: typeof CASES = {
  'Llama with shared key heads': { model_type: 'llama', num_key_value_heads: 2 },
  'Mistral with a window': { model_type: 'mistral', num_key_value_heads: 2, sliding_window: 3 },
  Qwen3: { model_type: 'qwen3', head_dim: 4, num_key_value_heads: 2 },
  'Gemma 2': { model_type: 'gemma2', head_dim: 4, sliding_window: 3 },
  'OLMo 2': { model_type: 'olmo2' },
  'Phi-3': { model_type: 'phi3', pad_token_id: 0 },
  'GPT-2': { model_type: 'gpt2', n_embd: 16, n_layer: 2, n_head: 4 },
  'GPT-NeoX': { model_type: 'gpt_neox', rotary_pct: 0.5 },
  'GPT-NeoX without parallel residuals': {
    model_type: 'gpt_neox',
    rotary_pct: 0.5,
    use_parallel_residual: false,
  },
};
const ALL = { ...CASES, ...DECODERS };

function build(fields: (typeof CASES)[string], head: 'SEQ_CLS' | 'TOKEN_CLS' | 'CAUSAL_LM'): TaskModel {
  const family = modelFamily(fields, 'config.json');
  const config = family.parseConfig({ ...SIZES, ...fields }, 'config.json');
  return head === 'SEQ_CLS' ? sequenceModel(family, config, classLoss) : tokenModel(head)(family, config);
}

const engineOf = (model: TaskModel) => ({
  open: (outputs: Parameters<typeof lower>[0]) =>
    cpu.open(
      lower(outputs, {
        target: 'cpu',
        locate: (name) => {
          const shape = model.parameters.get(name) ?? model.buffers.get(name) ?? [];
          return { data: new Random(1, name).normals(elementCount(shape), 0.3) };
        },
      }),
    ),
});

/** Logits of three texts, which have seven, five and one tokens. */
async function logits(model: TaskModel, everyRow: boolean) {
  const network = new Network(new Graph());
  const session = await engineOf(model).open({
    logits: model.buildLogits(network, () => ({ everyRow })),
  });
  const [batch, length] = [3, 7];
  const found = await session.run(
    modelFeeds({
      inputIds: Int32Array.from({ length: batch * length }, (_, i) => 2 + ((i * i + 3 * i) % 38)),
      attentionMask: Int32Array.from({ length: batch * length }, (_, i) =>
        Number(i % length < [7, 5, 1][Math.floor(i / length)]!),
      ),
      tokenTypeIds: new Int32Array(batch * length),
      batch,
      length,
    }),
  );
  await session.release();
  return { logits: [...(found.logits!.data as Float32Array)], inputs: network.linearInputs };
}

/** The shape of the input of the last linear module before the head. */
function lastRows(inputs: Network['linearInputs']): string {
  const path = [...inputs.keys()].findLast((path) => !HEAD.test(path)) as string;
  return String(inputs.get(path)?.shape[0]);
}

describe.each(Object.entries(ALL))('%s', (name, fields) => {
  it('gives the same classes, whether its last layer is computed for the tokens that its head reads or for all', async () => {
    const model = build(fields, 'SEQ_CLS');
    const [first, all] = [await logits(model, false), await logits(model, true)];
    // The sums are computed in another order, which changes the last bits of float32.
    first.logits.forEach((logit, i) => {
      expect(logit).toBeCloseTo(all.logits[i]!, 5);
    });
    const isWhole = name.endsWith('only layer has one');
    expect(lastRows(first.inputs)).toBe(isWhole ? 'batch*sequence' : 'batch');
    expect(lastRows(all.inputs)).toBe('batch*sequence');
  });

  it('rounds one base for heads that read one token and for those that read all', async () => {
    const [classes, tags] = [
      build(fields, 'SEQ_CLS'),
      build(fields, name in DECODERS ? 'CAUSAL_LM' : 'TOKEN_CLS'),
    ];
    const normalized = ({ linears }: TaskModel) =>
      linears.filter(({ path, norm }) => norm && !HEAD.test(path));
    const paths = new Set(normalized(tags).map(({ path }) => path));
    expect(new Set(normalized(classes).map(({ path }) => path))).toEqual(paths);
    // In OLMo 2 no linear module reads a norm's output itself: norms come before the residual.
    expect(paths.size > 0).toBe(name !== 'OLMo 2');
    expect(await inputMagnitudes(classes, engineOf(classes), paths)).toEqual(
      await inputMagnitudes(tags, engineOf(tags), paths),
    );
  });
});
