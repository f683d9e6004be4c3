import { describe, expect, it } from 'vitest';
import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { modelFamily } from '../../../models/registry.ts';
import { classLoss, sequenceModel } from '../../../program/objectives/sequence-loss.ts';
import type { TaskModel } from '../../../program/objectives/task-model.ts';
import { tokenModel } from '../../../program/objectives/token-model.ts';
import { elementCount } from '../../../support/arrays.ts';
import { Random } from '../../../support/random.ts';
import { findKind } from '../registry.ts';
import { adapterParameters } from '../tuner.ts';
import { bitFit } from './definition.ts';

const SIZES = { vocab_size: 20, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 16 };
const BERT = { model_type: 'bert', ...SIZES, hidden_size: 8, intermediate_size: 12 };
const LLAMA = { ...BERT, model_type: 'llama' };

function classifier(json: Record<string, unknown>): TaskModel {
  const definition = modelFamily(json, 'test');
  return sequenceModel(definition, definition.parseConfig(json, 'test'), classLoss);
}

function stored(model: TaskModel): { adapter: StoredAdapter; values: Float32Array } {
  const run = bitFit.start(model, {}, 10);
  const values = new Random(1, 'values').normals(run.tuner.layout.length, 1);
  return { adapter: run.store!(values, 'base'), values };
}

describe('BitFit', () => {
  const model = classifier(BERT);

  it('trains every bias and the head, and nothing else', () => {
    const { tuner } = bitFit.start(model, {}, 10);
    const trained = tuner.layout.segments.map(({ name }) => name);
    const biases = [...model.parameters.keys()].filter((name) => name.includes('bias'));
    expect(trained).toEqual([...biases.slice(0, -1), 'classifier.weight', 'classifier.bias']);
    // The norm of the embeddings, six linear layers and two norms per layer, the pooler.
    expect(tuner.sites).toHaveLength(1 + 2 * (6 + 2) + 1);
    const inAdapter = biases.filter((name) => !name.startsWith('classifier.'));
    const count = inAdapter.reduce((sum, name) => sum + elementCount(model.parameters.get(name)!), 0);
    expect(adapterParameters(tuner)).toBe(count);
    expect(count).toBe(8 + 2 * (5 * 8 + 12 + 2 * 8) + 8);
  });

  it("selects parameters with bias in their name, also of a head without modules: a masked model's", () => {
    const definition = modelFamily(BERT, 'test');
    const masked = tokenModel('MASKED_LM')(definition, definition.parseConfig(BERT, 'test'));
    const { tuner } = bitFit.start(masked, {}, 10);
    expect(tuner.layout.segments.map(({ name }) => name)).toEqual(
      [...masked.parameters.keys()].filter((name) => name.includes('bias')),
    );
    expect(tuner.layout.find('cls.predictions.bias')).toBeDefined();
  });

  it('starts from the values of the checkpoint', () => {
    const { tuner } = bitFit.start(model, {}, 10);
    const values = tuner.initialValues(0, (name, shape) =>
      new Random(3, name).normals(elementCount(shape), 1),
    );
    const bias = 'bert.pooler.dense.bias';
    expect(tuner.layout.read(values, bias)).toEqual(new Random(3, bias).normals(8, 1));
  });

  it('rejects an adapter of another model, with the tensor that does not fit', () => {
    const { adapter } = stored(model);
    const wider = classifier({ ...BERT, hidden_size: 10 });
    expect(() => findKind(adapter, 'x').import(wider, adapter, 'x')).toThrow(
      'x: bert.embeddings.LayerNorm.bias has shape [8] instead of [10]. The adapter belongs to another base model',
    );
    const shorter = classifier({ ...BERT, num_hidden_layers: 1 });
    expect(() => findKind(adapter, 'x').import(shorter, adapter, 'x')).toThrow(
      'is not a parameter of the base model',
    );
  });

  it('rejects a model whose layers have no bias', () => {
    expect(() => bitFit.start(classifier(LLAMA), {}, 10)).toThrow(
      'method: bitfit needs a model with biases, and layers of llama have none.',
    );
  });
});
