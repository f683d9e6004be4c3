import { type FileSet, missingIn, pathIn, readFile, readJsonFile } from '../formats/file-set.ts';
import { parseSmallJson } from '../formats/small-json.ts';
import type { GenerationSources } from '../generation/generation-settings.ts';
import { HEAD_KINDS, writesText } from '../models/heads/registry.ts';
import type { CommonConfig } from '../models/model-definition.ts';
import { buildTokenizer, TOKENIZER_FILES, tokenizerFiles } from '../text/build-tokenizer.ts';
import { ChatTemplate } from '../text/chat/chat-template.ts';
import {
  CHAT_TEMPLATE_FILE,
  findChatTemplate,
  MAX_CHAT_TEMPLATE_BYTES,
} from '../text/chat/find-chat-template.ts';
import { type Family, familyOf, withSentence } from '../trained/bind-model.ts';
import { type ModelConfig, withModelConfig } from '../trained/model-config.ts';
import { SENTENCE_FILES, sentenceFileNames, sentenceSettings } from '../trained/sentence-files.ts';
import { textParts } from '../trained/text-parts.ts';
import type { TrainedParts } from '../trained/trained-model.ts';

const GENERATION_CONFIG = 'generation_config.json';

/** A base model's description in its small files. */
export interface DescribedModel {
  files: FileSet;
  /**
   * The small files that were read, by name: config.json, the tokenizer's, and two more for models that generate text.
   */
  small: ReadonlyMap<string, Uint8Array>;
  /** The text of its config.json, and its parsed content. */
  configText: string;
  json: Record<string, unknown>;
  family: Family;
  /**
   * Opens its tokenizer and chat template.
   *
   * @param config the model's, with the positions that remain for texts
   * @param requested `data.max_length`, or the value under another name (`key`)
   */
  text(config: CommonConfig, requested: number | undefined, key?: string): TrainedParts['text'];
  generationFiles(): Omit<GenerationSources, 'user'>;
}

/**
 * Reads everything of a model except its weights.
 *
 * @throws UserError for files that are missing, damaged or too large
 */
export async function readModel(files: FileSet, changes?: ModelConfig): Promise<DescribedModel> {
  const where = pathIn(files.name, 'config.json');
  const bytes = await readFile(files, 'config.json');
  if (!bytes) throw missingIn(files, 'config.json', 'the config.json of a Hugging Face model');
  const json = parseSmallJson(bytes, where) as Record<string, unknown>;
  const sentence = await readSentenceFiles(files);
  const settings = sentenceSettings((name) => sentence.get(name), files.name);
  const family = withSentence(familyOf(withModelConfig(json, changes, where), where), settings);
  const tokenizer = await readTokenizerFiles(files);
  const writes = HEAD_KINDS.some((kind) => writesText(kind) && family.definition.heads[kind]);
  const template = writes ? await readFile(files, CHAT_TEMPLATE_FILE, MAX_CHAT_TEMPLATE_BYTES) : undefined;
  const generation = writes ? await readFile(files, GENERATION_CONFIG) : undefined;
  const generationConfig = generation && parseSmallJson(generation, pathIn(files.name, GENERATION_CONFIG));
  return {
    ...{ files, json, family },
    small: new Map([
      ['config.json', bytes],
      ...tokenizer,
      ...(template ? [[CHAT_TEMPLATE_FILE, template] as const] : []),
      ...(generation ? [[GENERATION_CONFIG, generation] as const] : []),
    ]),
    configText: new TextDecoder().decode(bytes),
    text(modelConfig, requested, key) {
      const path = (name: string) => pathIn(files.name, name);
      const built = buildTokenizer(tokenizer, path, modelConfig);
      const config = tokenizer.get(TOKENIZER_FILES.config);
      const loadTemplate = (now?: Date) => {
        const chat = findChatTemplate(
          {
            file: template && {
              path: pathIn(files.name, CHAT_TEMPLATE_FILE),
              text: new TextDecoder().decode(template),
            },
            tokenizerConfig: config && {
              path: path(TOKENIZER_FILES.config),
              content: JSON.parse(new TextDecoder().decode(config)),
            },
          },
          files.name,
        );
        return new ChatTemplate(chat.source, built.specialTokens, {
          where: chat.where,
          ...(now && { now: () => now }),
        });
      };
      return textParts(built, modelConfig, requested, loadTemplate, key);
    },
    generationFiles: () => (generationConfig === undefined ? { modelConfig: json } : { generationConfig }),
  };
}

/** The files of sentence-transformers, by name, as parsed JSON. */
async function readSentenceFiles(files: FileSet): Promise<Map<string, unknown>> {
  const modules = await readJsonFile(files, SENTENCE_FILES.modules);
  if (modules === undefined) return new Map();
  const names = sentenceFileNames(modules);
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readJsonFile(files, name)] as const)),
  );
}

/** The files of a tokenizer that exist: tokenizer.json, or the files of older formats. */
async function readTokenizerFiles(files: FileSet): Promise<Map<string, Uint8Array>> {
  const read = new Map<string, Uint8Array>();
  const isFast = (await files.open(TOKENIZER_FILES.tokenizer)) !== undefined;
  const mayBe = (name: string) => isFast || name !== TOKENIZER_FILES.tokenizer;
  for (const { name, maxBytes } of tokenizerFiles(mayBe)) {
    const bytes = await readFile(files, name, maxBytes);
    if (bytes) read.set(name, bytes);
  }
  return read;
}
