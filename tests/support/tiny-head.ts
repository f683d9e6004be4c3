import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredTensor } from '../../src/input/formats/tensor-data.ts';
import { initialize } from '../../src/models/bind-checkpoint.ts';
import type { HeadKind } from '../../src/models/heads/registry.ts';
import { modelFamily, modelTypes } from '../../src/models/registry.ts';
import { plainModel } from '../../src/program/objectives/plain-model.ts';
import { classLoss, sequenceModel } from '../../src/program/objectives/sequence-loss.ts';
import { spanModel } from '../../src/program/objectives/span-model.ts';
import { tokenModel } from '../../src/program/objectives/token-model.ts';
import type { BuildTask } from '../../src/tasks/task-definition.ts';
import { describeIn } from './describe-in.ts';
import { writeSafetensors } from './safetensors-file.ts';
import { SMALL_GENERATORS, writeSmallGenerator } from './small-generator.ts';
import { writeTinyTextModel } from './tiny-text-model.ts';

/** How the configs differ between the encoders. For lowercased texts, the padding id 0 is that of their tokenizer. */
const ENCODERS: Readonly<Record<string, object>> = {
  bert: {},
  electra: { embedding_size: 16 },
  roberta: { pad_token_id: 0, type_vocab_size: 1 },
  'xlm-roberta': { pad_token_id: 0, type_vocab_size: 1 },
  modernbert: { pad_token_id: 0, local_attention: 4 },
  albert: { embedding_size: 16 },
  mpnet: { pad_token_id: 0 },
  distilbert: { dim: 32, n_layers: 2, n_heads: 4, hidden_dim: 64 },
  'deberta-v2': { relative_attention: true, pos_att_type: ['c2p', 'p2c'], position_biased_input: false },
};

const CLASSES: Partial<Record<HeadKind, string[]>> = {
  SEQ_CLS: ['no', 'maybe', 'yes'],
  TOKEN_CLS: ['O', 'B-LOC', 'B-PER'],
};

/** Families that read pictures. */
const PICTURES = modelTypes().filter((type) => /^(vit|deit|dinov2|clip|siglip)/.test(type));

/** Writes the settings of a model that reads pictures of 8 x 8 pixels. */
function writeTinyPictureModel(folder: string, config: object): void {
  const tower = {
    hidden_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 64,
    image_size: 8,
    patch_size: 4,
    ...config,
  };
  const processor = { image_processor_type: 'ViTImageProcessor', size: { height: 8, width: 8 } };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...tower, vision_config: tower }));
  writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(processor));
}

/** Writes the settings of the fixture that reads sounds. */
function writeTinySoundModel(folder: string, config: object): void {
  const fixture = JSON.parse(readFileSync('src/models/fixtures/models/whisper-classes/config.json', 'utf8'));
  const size = {
    ...{ d_model: 32, classifier_proj_size: 32, vocab_size: 64 },
    ...{ encoder_attention_heads: 4, encoder_ffn_dim: 64, decoder_layers: 2 },
    ...{ decoder_attention_heads: 4, decoder_ffn_dim: 64, max_target_positions: 16, pad_token_id: 0 },
  };
  const extractor = { feature_size: 5, chunk_length: 0.12 };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...fixture, ...size, ...config }));
  writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(extractor));
}

/** Builds a model with a head. */
export const BUILDS: Record<HeadKind, BuildTask> = {
  SEQ_CLS: (definition, config) => sequenceModel(definition, config, classLoss),
  QUESTION_ANS: spanModel,
  TOKEN_CLS: tokenModel('TOKEN_CLS'),
  MASKED_LM: tokenModel('MASKED_LM'),
  CAUSAL_LM: tokenModel('CAUSAL_LM'),
  SEQ_2_SEQ_LM: tokenModel('SEQ_2_SEQ_LM'),
  FEATURE_EXTRACTION: plainModel('FEATURE_EXTRACTION', 0),
};

export function writesText(head: HeadKind): boolean {
  return head === 'CAUSAL_LM' || head === 'SEQ_2_SEQ_LM';
}

/** Every family with each of its heads. */
export function familiesAndHeads(): [family: string, head: HeadKind][] {
  return modelTypes().flatMap((family) => {
    const { heads } = modelFamily({ model_type: family }, family);
    return (Object.keys(heads) as HeadKind[]).map((head): [string, HeadKind] => [family, head]);
  });
}

/**
 * Writes a model folder of a family with a head: two layers, 32 wide, random weights and a small tokenizer. `changes`
 * replaces fields of its config.json.
 */
export function writeTinyHead(folder: string, family: string, head: HeadKind, changes: object = {}): void {
  const { architecture } = modelFamily({ model_type: family }, family).heads[head]!;
  const labels = CLASSES[head]?.map((label, id) => [id, label]);
  const config = {
    model_type: family,
    architectures: [architecture],
    ...(labels && { id2label: Object.fromEntries(labels) }),
    ...changes,
  };
  if (PICTURES.includes(family)) writeTinyPictureModel(folder, config);
  else if (family === 'whisper') writeTinySoundModel(folder, config);
  else if (Object.hasOwn(ENCODERS, family))
    writeTinyTextModel(folder, 'bert', { ...ENCODERS[family], ...config });
  else {
    const like = SMALL_GENERATORS.find((type) => type === family) ?? 'llama';
    writeSmallGenerator(folder, like, config);
  }
  // The weights of generators already give texts that do not repeat themselves.
  if (writesText(head) && family !== 'whisper') return;
  const { parameters, buffers } = describeIn(folder, BUILDS[head]);
  const tensors = [...parameters, ...buffers].map(([name, shape]): [string, StoredTensor] => [
    name,
    { dtype: 'F32', shape: [...shape], data: initialize(name, shape, 7, 0.3) },
  ]);
  writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors), { format: 'pt' });
}
