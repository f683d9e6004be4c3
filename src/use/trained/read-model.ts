import { parseSmallJson } from '../../input/formats/bounded-json.ts';
import { findQuantization } from '../../input/formats/dequantize.ts';
import {
  type Files,
  filesFrom,
  missingIn,
  pathIn,
  readFile,
  readJsonFile,
} from '../../input/formats/files.ts';
import { TRANSFORMER_FILES } from '../../input/hub/model-files.ts';
import { NO_DECODERS } from '../../input/media/media.ts';
import { PROCESSOR_FILE } from '../../input/media/medium.ts';
import { HEAD_KINDS, writesText } from '../../models/heads/registry.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { assumedSentence, type SentenceSettings } from '../../models/sentence-settings.ts';
import type { GenerationSources } from '../../program/generation/generation-settings.ts';
import { CONTENT_MODELS } from '../../program/modalities/contents.ts';
import type { Modality } from '../../program/modalities/modality.ts';
import { readTexts } from '../../program/modalities/read-texts.ts';
import { lazy } from '../../support/options.ts';
import { InvalidFile } from '../../support/user-error.ts';
import { type Build, type Family, findFamily, withSentence } from './bind-model.ts';
import { type ModelConfig, withModelConfig } from './model-config.ts';
import { SENTENCE_FILES, sentenceFileNames, sentenceSettings } from './sentence-files.ts';

export const CONFIG = 'config.json';
export const GENERATION_CONFIG = 'generation_config.json';
/**
 * Maximum size of generation_config.json. Most have a few kilobytes. With a list of suppressed tokens, a file has tens of
 * kilobytes.
 */
const MAX_GENERATION_BYTES = 2 ** 22;

/** A model's architecture. */
export interface Described {
  files: Files;
  /** The content of its config.json, and the file. */
  json: Record<string, unknown>;
  config: Uint8Array;
  /** The settings in its files of sentence-transformers. Without them, their defaults for a decoder. */
  settings: SentenceSettings | undefined;
  family: Family;
  /** The content of its preprocessor_config.json, and the file, for a model of a medium. */
  processor?: { json: unknown; file: Uint8Array };
}

/** A base model without its weights. */
export interface DescribedModel extends Described {
  /**
   * The small files that were read, by name: config.json, those that inputs need, and two more for models that generate text.
   */
  small: ReadonlyMap<string, Uint8Array>;
  /**
   * Builds what its rows are made of.
   *
   * @param config the model's, with the positions that remain for texts
   * @param requested `data.max_length`, or the value under another name (`key`)
   * @throws UserError for missing or damaged files, and for a length that the model does not support
   */
  modality(config: CommonConfig, requested?: number, key?: string): Modality;
  /** The generation settings in generation_config.json or, if it is missing, config.json. */
  generationFiles(): Omit<GenerationSources, 'user'>;
}

/**
 * Reads config.json and the files of sentence-transformers, which determine every parameter and module.
 *
 * @param changes fields of config.json to replace
 * @param reads whether a checkpoint that another program has quantized can be read
 * @throws UserError for files that are missing, damaged or too large
 */
export async function describeModel(
  files: Files,
  changes?: ModelConfig,
  reads: { quantized: boolean } = { quantized: false },
): Promise<Described> {
  const where = pathIn(files.name, CONFIG);
  const config = await readFile(files, CONFIG);
  if (!config) {
    refuseGguf(files);
    throw missingIn(files, CONFIG, 'the config.json of a Hugging Face model');
  }
  const { json, isQuantized, ...stored } = withoutQuantization(config, where);
  if (isQuantized && !reads.quantized) {
    throw new InvalidFile({
      where: `${where}, quantization_config`,
      fault: 'says that the weights are integers of another program, which are read in Node only',
      hint: 'Use the model with float weights that it was made from.',
    });
  }
  const sentence = await readSentenceFiles(files);
  const settings = sentenceSettings((name) => sentence.get(name), files.name) ?? assumedSentence(json);
  const file = await readFile(files, PROCESSOR_FILE);
  const processor = file && { file, json: parseSmallJson(file, pathIn(files.name, PROCESSOR_FILE)) };
  return withChanges({ files, json, ...stored, settings, ...(processor && { processor }) }, changes);
}

/** A config.json as that of the same model with float weights, which a result has. */
function withoutQuantization(config: Uint8Array, where: string) {
  const { quantization_config, ...json } = parseSmallJson(config, where) as Record<string, unknown>;
  if (!findQuantization({ quantization_config }, where)) return { json, config, isQuantized: false };
  return { json, config: new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`), isQuantized: true };
}

/** @throws UserError for a folder that has a GGUF file in the place of a model */
function refuseGguf(files: Files): void {
  const found = files.list().find((name) => name.endsWith('.gguf'));
  if (found === undefined) return;
  throw new InvalidFile({
    where: pathIn(files.name, found),
    fault: 'is a GGUF file, a format that is written and not read',
    hint: 'Use the model in safetensors that it was made from, and set base_dtype to int8 or int4.',
  });
}

/** Like the described model, but with other fields of config.json replaced. */
export function withChanges<Model extends Omit<Described, 'family'>>(
  model: Model,
  changes: ModelConfig | undefined,
): Model & Described {
  const where = pathIn(model.files.name, CONFIG);
  const family = findFamily(withModelConfig(model.json, changes, where), where);
  const { content } = family.config;
  if (!content) return { ...model, family: withSentence(family, model.settings) };
  if (!model.processor) return { ...model, family };
  const { definition } = family;
  const config = CONTENT_MODELS[content.medium]!.fit(family.config, ...findSettings(model));
  return { ...model, family: { definition, config } };
}

/** @throws UserError for a model of a medium without preprocessor_config.json */
function findSettings({ files, processor, json }: Omit<Described, 'family'>) {
  const { model_type } = json as { model_type: string };
  if (processor) return [processor.json, pathIn(files.name, PROCESSOR_FILE), model_type] as const;
  throw missingIn(files, PROCESSOR_FILE, 'the settings of what makes its inputs');
}

/** Builds a model from its description. */
export function buildModel<Model>(build: Build<Model>, { family: { definition, config } }: Described): Model {
  return build(definition, config);
}

/**
 * Reads everything else of a model except its weights.
 *
 * @throws UserError for files that are too large
 */
export async function readModel(described: Described, decoders = NO_DECODERS): Promise<DescribedModel> {
  const { files, json, config, family, processor } = described;
  const { content } = family.config;
  const writes = HEAD_KINDS.some((kind) => writesText(kind) && family.definition.heads[kind]);
  const path = (name: string) => pathIn(files.name, name);
  // Other models have neither file, so a page does not request them.
  const forWriting = writes ? files : filesFrom(new Map(), files.name);
  const [read, generation] = await Promise.all([
    readTexts(content ? forWriting : files, forWriting, family.config),
    readFile(forWriting, GENERATION_CONFIG, MAX_GENERATION_BYTES),
  ]);
  return {
    ...described,
    small: new Map([
      [CONFIG, config],
      ...read.files,
      ...(generation ? [[GENERATION_CONFIG, generation] as const] : []),
      ...(content && processor ? [[PROCESSOR_FILE, processor.file] as const] : []),
    ]),
    modality: content
      ? () =>
          CONTENT_MODELS[content.medium]!.modality(
            family.config,
            ...findSettings(described),
            decoders,
            lazy(() => (writes ? read.texts(family.config) : undefined)),
          )
      : read.texts,
    generationFiles: () =>
      generation
        ? { generationConfig: parseSmallJson(generation, path(GENERATION_CONFIG)) }
        : { modelConfig: json },
  };
}

/** The files of sentence-transformers, by name, as parsed JSON. */
async function readSentenceFiles(files: Files): Promise<Map<string, unknown>> {
  const modules = await readJsonFile(files, SENTENCE_FILES.modules);
  if (modules === undefined) return new Map();
  const read = (names: readonly string[]) =>
    Promise.all(names.map(async (name) => [name, await readJsonFile(files, name)] as const));
  const found = new Map(await read(sentenceFileNames(modules)));
  if (found.get(SENTENCE_FILES.transformer) !== undefined) return found;
  const others = TRANSFORMER_FILES.filter((name) => !found.has(name));
  return new Map([...found, ...(await read(others))]);
}
