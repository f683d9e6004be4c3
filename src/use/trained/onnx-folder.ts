import type { ByteStream } from '../../engine/onnx/schema.ts';
import type { EncodedFile } from '../../input/formats/adapters/encode-adapter.ts';
import { editJson } from '../../input/formats/bounded-json.ts';
import { pathIn } from '../../input/formats/files.ts';
import { buildTokenizer, TOKENIZER_FILES, tokenizerJsons } from '../../input/text/build-tokenizer.ts';
import { CHAT_TEMPLATE_FILE } from '../../input/text/chat/chat-template.ts';
import { findTokenizerClass } from '../../input/text/convert/convert-tokenizer.ts';
import type { TokenizerOptions } from '../../input/text/tokenizer.ts';
import type { TunedValues } from '../../methods/tuners/tuner.ts';
import { headNamed, writesText } from '../../models/heads/registry.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { createGenerationConfig } from '../../program/generation/generation-config.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { smallest } from '../../support/numbers.ts';
import { ANYTHING, assertOptions, NUMBER, type OptionTypes } from '../../support/options.ts';
import { ADAPTER, LAYER } from '../optimum/model-graphs.ts';
import { type OnnxDtype, onnxDtypes } from '../optimum/onnx-dtypes.ts';
import { type OnnxSource, onnxFiles } from '../optimum/onnx-files.ts';
import type { WrittenForm } from './export-forms.ts';
import { assertFiniteValues, finiteReader } from './finite-values.ts';
import { fittingReader } from './fitting-base.ts';
import { trainedConfig } from './full-model.ts';
import { type Notes, templateFiles } from './notes.ts';
import { CONFIG, type DescribedModel, GENERATION_CONFIG } from './read-model.ts';
import { sentenceFiles } from './sentence-files.ts';
import type { OpenedTuned } from './trained-parts.ts';

/** A model with its adapter, if it has one. */
interface OnnxModel extends TunedValues {
  model: LoadedModel;
  notes: Notes | undefined;
}

/**
 * The source of ONNX files: an adapter is merged into the weights, or becomes layers of the graph. A buffer that the
 * checkpoint lacks is zeros.
 */
export function onnxSource({ model, tuner, values, notes }: OnnxModel): OnnxSource {
  const readBase = fittingReader({ model, notes });
  const read = finiteReader(tuner.merged?.(values, readBase) ?? readBase);
  return {
    model,
    tuner: tuner.merged ? undefined : tuner,
    read(name, start, end) {
      if (name === ADAPTER) return values.slice(start, end);
      if (name === LAYER.weight && notes?.layer) return notes.layer.weight.slice(start, end);
      if (name === LAYER.bias && notes?.layer) return notes.layer.bias.slice(start, end);
      if (!model.buffers.has(name)) return read(name, start, end);
      return 'data' in model.locate(name) ? new Float32Array(end - start) : model.readRange(name, start, end);
    },
  };
}

/** Fields that transformers.js needs to name the tensors of a cache. They may be missing in config.json. */
const CACHE_FIELDS = [
  ...['is_encoder_decoder', 'num_layers', 'num_decoder_layers', 'encoder_layers', 'decoder_layers'],
  ...['num_hidden_layers', 'n_layer'],
];

/**
 * A config.json with the information that transformers.js needs about the ONNX files beside it.
 *
 * @param text from `trainedConfig`
 * @param external the number of external data files of a model, by the name of its file
 */
function onnxConfig(
  text: string,
  config: CommonConfig,
  dtypes: readonly OnnxDtype[],
  external: Readonly<Record<string, number>>,
): string {
  // By default, transformers.js loads q8 on WebAssembly, otherwise fp32.
  const hasDefaults = dtypes.includes('fp32') && dtypes.includes('q8');
  const labels = {
    ...(!hasDefaults && { dtype: dtypes[0] }),
    ...(Object.keys(external).length > 0 && { use_external_data_format: external }),
  };
  const changed = editJson(text, ({ 'transformers.js_config': _, ...json }) => ({
    ...json,
    ...cacheFields(json, config),
    ...(Object.keys(labels).length > 0 && { 'transformers.js_config': labels }),
  }));
  return `${changed}\n`;
}

/** The fields that a config.json lacks. */
function cacheFields(json: Readonly<Record<string, unknown>>, config: CommonConfig): Record<string, unknown> {
  const known = config as unknown as Readonly<Record<string, unknown>>;
  // By default, T5's decoder has as many layers as its encoder.
  const values = { ...known, num_decoder_layers: known.num_decoder_layers ?? known.num_layers };
  const missing = CACHE_FIELDS.filter((name) => (json[name] ?? null) === null);
  const defaults = missing.map((name) => [name, values[name as keyof typeof values] as unknown]);
  return Object.fromEntries(defaults.filter(([, value]) => (value ?? null) !== null));
}

/** The files of an ONNX export. */
export interface ExportOnnxOptions {
  /** Types of the weights: one file for each. Default: fp32. */
  dtypes?: readonly OnnxDtype[] | undefined;
  /** Maximum size of a file in bytes. The rest goes to files of external data. Default: protobuf's limit. */
  maxBytes?: number | undefined;
}

export const EXPORT_OPTIONS: OptionTypes<ExportOnnxOptions> = { dtypes: ANYTHING, maxBytes: NUMBER };

/**
 * A model as ONNX files with its config and what inputs need, for a folder that transformers.js and Optimum load. Files are
 * listed by path, config.json last. Unchanged files of the base model are not included. An adapter is merged into the
 * weights, or becomes layers of the graph. Tensors are made one by one while they are written.
 *
 * @throws UserError for unknown types, an adapter with NaN and missing or damaged files; while a file is written,
 * for values that are not finite or that its type cannot represent
 */
export function onnxFolder(
  opened: OnnxModel & { base: Pick<DescribedModel, 'files' | 'small'> },
  options: ExportOnnxOptions = {},
): ReadonlyMap<string, ByteStream> {
  assertOptions('export as onnx', options, EXPORT_OPTIONS);
  const { dtypes: named = ['fp32'], maxBytes } = options;
  const dtypes = onnxDtypes(named, 'dtypes');
  const { model, notes, base } = opened;
  assertFiniteValues(opened.values, 'the adapter');
  const text = (name: string) => new TextDecoder().decode(base.small.get(name));
  const models = onnxFiles(onnxSource(opened), dtypes, maxBytes);
  const external = models.filter((one) => one.files.size > 1).map((one) => [one.name, one.files.size - 1]);
  const { mainUse, reads } = headNamed(model.headKind);
  const made = new Map<string, string>(templateFiles(base, notes));
  if (!model.config.content || writesText(model.headKind)) {
    const { maxLength, maxTargets } = model.config;
    // A prompt may be longer than the training examples.
    const lengths = [maxTargets ?? maxLength, mainUse === 'generate' ? undefined : notes?.data.max_length];
    const { modelType } = model.definition;
    const where = (name: string) => pathIn(base.files.name, name);
    const facts = {
      ...model.config,
      modelType,
      lengths,
      continues: reads === 'cached',
      spelled: made.get(CHAT_TEMPLATE_FILE),
    };
    for (const [name, content] of exportedTextFiles(base.small, where, facts)) made.set(name, json(content));
  }
  if (writesText(model.headKind) && !base.small.has(GENERATION_CONFIG)) {
    made.set(GENERATION_CONFIG, json(createGenerationConfig(JSON.parse(text(CONFIG)))));
  }
  const sentence = model.layer || model.config.content ? [] : sentenceFiles(model, notes?.data.max_length);
  for (const [name, content] of sentence) made.set(name, content);
  // With a linear layer, the graph is a classifier.
  const head = model.layer?.head ?? model.head;
  const trained = trainedConfig(text(CONFIG), { head }, notes, 'float32');
  made.set(CONFIG, onnxConfig(trained, model.config, dtypes, Object.fromEntries(external)));
  return new Map([
    ...models.flatMap((one) => [...one.files].map(([name, stream]) => [`onnx/${name}`, stream] as const)),
    ...[...made].map(([name, content]) => [name, inMemory(content)] as const),
  ]);
}

/** The files of {@link onnxFolder}, made one tensor at a time. */
export function onnxForm(opened: OpenedTuned, options?: ExportOnnxOptions): WrittenForm {
  return {
    files: [...onnxFolder(opened, options)].map(([path, { chunks }]): EncodedFile => [path, chunks()]),
    copies: { ofBase: true },
  };
}

function json(content: unknown): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}

function inMemory(content: string): ByteStream {
  const bytes = new TextEncoder().encode(content);
  return { byteLength: bytes.length, chunks: () => [bytes] };
}

/** Facts about a model that its exported files contain. */
interface ExportedModel extends TokenizerOptions, Pick<CommonConfig, 'content'> {
  modelType: string;
  /** Limits of the number of tokens: the model's, and the run's. */
  lengths: readonly (number | undefined)[];
  /** Whether the model generates text after a prompt. */
  continues: boolean;
  /** The chat template of the training, if it is not that of the base. */
  spelled: string | undefined;
}

/**
 * Generic tokenizer classes. With these, transformers.js gives both texts of a pair the same token type, and has no
 * transcripts.
 */
const NO_CLASS = ['PreTrainedTokenizer', 'PreTrainedTokenizerFast', 'TokenizersBackend'];

/**
 * The files with which transformers.js makes the same tokens as in training, by name. Unchanged files of the base model
 * are not included.
 *
 * @param files of the base model, by name
 * @param where the path of a file, for messages
 * @throws UserError for a missing or damaged tokenizer
 */
function exportedTextFiles(
  files: ReadonlyMap<string, Uint8Array>,
  where: (name: string) => string,
  model: ExportedModel,
): Map<string, object> {
  const { before, after } = buildTokenizer(files, where, model).frame();
  const { tokenizer, config } = tokenizerJsons(files, where);
  const exported = createConfig({ ...config }, model, {
    frames: before.length + after.length > 0,
    template: files.get(CHAT_TEMPLATE_FILE),
  });
  const made = new Map<string, object>([[TOKENIZER_FILES.config, exported]]);
  if (!files.has(TOKENIZER_FILES.tokenizer)) made.set(TOKENIZER_FILES.tokenizer, tokenizer);
  return made;
}

/**
 * The content of tokenizer_config.json.
 *
 * @param frames whether the tokenizer adds tokens before or after a text
 * @param template a chat template in a separate file, which transformers.js does not read
 */
function createConfig(
  config: Readonly<Record<string, unknown>>,
  { modelType, typeVocabSize, content, lengths, continues, spelled }: ExportedModel,
  { frames, template }: { frames: boolean; template: Uint8Array | undefined },
): Record<string, unknown> {
  const { tokenizer_class, model_max_length, chat_template } = config;
  const isNamed = typeof tokenizer_class === 'string' && !NO_CLASS.includes(tokenizer_class);
  const ownClass = typeVocabSize > 1 || content ? findTokenizerClass(modelType) : undefined;
  const known = [model_max_length, ...lengths].filter((length) => typeof length === 'number');
  const longest = smallest(known);
  return {
    ...config,
    ...(!isNamed && ownClass && { tokenizer_class: ownClass }),
    ...(Number.isFinite(longest) && { model_max_length: longest }),
    // Without this, the text generation pipeline omits the tokenizer's added tokens.
    ...(continues && frames && { add_bos_token: true }),
    ...(chat_template === undefined && template && { chat_template: new TextDecoder().decode(template) }),
    ...(spelled !== undefined && { chat_template: spelled }),
  };
}
