import { expect, it } from 'vitest';
import { bart } from '../../../models/families/bart/definition.ts';
import { bert } from '../../../models/families/bert/definition.ts';
import { gemma2 } from '../../../models/families/gemma2/definition.ts';
import { gpt2 } from '../../../models/families/gpt2/definition.ts';
import { llama } from '../../../models/families/llama/definition.ts';
import { modernBert } from '../../../models/families/modernbert/definition.ts';
import { phi3 } from '../../../models/families/phi3/definition.ts';
import { whisper } from '../../../models/families/whisper/definition.ts';
import type { ModelDefinition } from '../../../models/model-definition.ts';
import { defaultTargets } from './adapted-modules.ts';

/** A model with a linear module for every name of its family. */
function modelOf(definition: ModelDefinition) {
  const linears = Object.values(definition.roles)
    .flat()
    .map((name) => ({ path: `layer.0.${name}`, inFeatures: 1, outFeatures: 1 }));
  return { definition, linears };
}

// PEFT's tables for LoRA, AdaLoRA and IA3, and the six matrices of the paper for encoders and BART.
it.each<[string, unknown, string[], string[], string[], string]>([
  [
    'bert',
    bert,
    ['query', 'value'],
    ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'],
    ['key', 'value', 'output.dense'],
    'output.dense',
  ],
  [
    'bart',
    bart,
    ['q_proj', 'v_proj'],
    ['q_proj', 'k_proj', 'v_proj', 'out_proj', 'fc1', 'fc2'],
    ['q_proj', 'v_proj', 'fc2'],
    'fc2',
  ],
  ['modernbert', modernBert, ['Wqkv'], ['Wqkv', 'attn.Wo', 'Wi', 'mlp.Wo'], ['Wqkv', 'mlp.Wo'], 'mlp.Wo'],
  [
    'llama',
    llama,
    ['q_proj', 'v_proj'],
    ['q_proj', 'v_proj'],
    ['k_proj', 'v_proj', 'down_proj'],
    'down_proj',
  ],
  [
    'gemma2',
    gemma2,
    ['q_proj', 'v_proj'],
    ['q_proj', 'v_proj'],
    ['q_proj', 'v_proj', 'down_proj'],
    'down_proj',
  ],
  ['gpt2', gpt2, ['c_attn'], ['c_attn'], ['c_attn', 'mlp.c_proj'], 'mlp.c_proj'],
  ['phi3', phi3, ['qkv_proj'], ['qkv_proj'], ['qkv_proj', 'down_proj'], 'down_proj'],
])('of %s', (_, definition, few, many, rescaled, input) => {
  const model = modelOf(definition as ModelDefinition);
  expect(defaultTargets(model, 'few')).toEqual(few);
  expect(defaultTargets(model, 'many')).toEqual(many);
  expect(defaultTargets(model, 'rescaled')).toEqual(rescaled);
  expect(defaultTargets(model, 'rescaledInputs')).toEqual([input]);
});

it('adapts the decoder of Whisper alone, or a classifier of sounds in all layers', () => {
  const at = (path: string) => ({ path, inFeatures: 1, outFeatures: 1 });
  const encoder = at('model.encoder.layers.0.self_attn.q_proj');
  const decoder = at('model.decoder.layers.0.self_attn.q_proj');
  expect(
    defaultTargets({ definition: whisper as ModelDefinition, linears: [encoder, decoder] }, 'few'),
  ).toEqual([decoder.path]);
  const classifier = at('encoder.layers.0.self_attn.q_proj');
  expect(defaultTargets({ definition: whisper as ModelDefinition, linears: [classifier] }, 'few')).toEqual([
    'q_proj',
  ]);
});
