import type { ByteStream } from '../../engine/onnx/schema.ts';
import { buildTokenizer, TOKENIZER_FILES, tokenizerJsons } from '../../input/text/build-tokenizer.ts';
import { CHAT_TEMPLATE_FILE } from '../../input/text/chat/chat-template.ts';
import { tokenizerClassOf } from '../../input/text/convert/convert-tokenizer.ts';
import { headNamed, writesText } from '../../models/heads/registry.ts';
import { generationConfigOf } from '../../program/generation/generation-config.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { ANYTHING, assertOptions, NUMBER, type OptionTypes } from '../../support/options.ts';
import { type OnnxDtype, onnxDtypes } from '../optimum/onnx-dtypes.ts';
import { onnxFiles } from '../optimum/onnx-files.ts';
import { assertFiniteValues } from './finite-values.ts';
import { trainedConfig } from './full-model.ts';
import { onnxConfig } from './onnx-config.ts';
import { type OnnxModel, onnxSource } from './onnx-source.ts';
import { CONFIG, GENERATION_CONFIG } from './read-model.ts';
import { sentenceFiles } from './sentence-files.ts';

export interface ExportOnnxOptions {
  /** Types of the weights: one file for each. Default: fp32. */
  dtypes?: readonly OnnxDtype[] | undefined;
  /** Maximum size of a file in bytes. The rest goes to files of external data. Default: protobuf's limit. */
  maxBytes?: number | undefined;
}

export const EXPORT_OPTIONS: OptionTypes<ExportOnnxOptions> = { dtypes: ANYTHING, maxBytes: NUMBER };

/** The small files of the base model. */
export interface BaseFiles {
  /**
   * The files by name: config.json, the tokenizer's files and, if present, the files for generation and the chat
   * template.
   */
  files: ReadonlyMap<string, Uint8Array>;
  /** Returns the path of a file, for messages. */
  where(name: string): string;
}

/**
 * A model as ONNX files with its config and tokenizer, for a folder that transformers.js and Optimum load. Files are
 * listed by path, config.json last. Unchanged files of the base model are not included. An adapter is merged into the
 * weights, or becomes layers of the graph. Tensors are made one by one while they are written.
 *
 * @throws UserError for unknown types, an adapter with NaN and a missing or damaged tokenizer; while a file is written,
 * for values that are not finite or that its type cannot represent
 */
export function onnxFolder(
  opened: OnnxModel,
  { files, where }: BaseFiles,
  options: ExportOnnxOptions = {},
): ReadonlyMap<string, ByteStream> {
  assertOptions('export as onnx', options, EXPORT_OPTIONS);
  const { dtypes: named = ['fp32'], maxBytes } = options;
  const dtypes = onnxDtypes(named, 'dtypes');
  const { model, notes } = opened;
  assertFiniteValues(opened.values, 'the adapter');
  const text = (name: string) => new TextDecoder().decode(files.get(name));
  const tokenizerFiles = () => {
    const { before, after } = buildTokenizer(files, where, model.config).frame();
    const { tokenizer, config } = tokenizerJsons(files, where);
    const tokenizerConfig = onnxTokenizerConfig({ ...config }, model, {
      frames: before.length + after.length > 0,
      maxLength: notes?.data.max_length,
      chatTemplate: files.has(CHAT_TEMPLATE_FILE) ? text(CHAT_TEMPLATE_FILE) : undefined,
    });
    const made = new Map<string, string>([[TOKENIZER_FILES.config, json(tokenizerConfig)]]);
    if (!files.has(TOKENIZER_FILES.tokenizer)) made.set(TOKENIZER_FILES.tokenizer, json(tokenizer));
    return made;
  };
  const tokens = model.config.picture ? new Map<string, string>() : tokenizerFiles();
  const models = onnxFiles(onnxSource(opened), dtypes, maxBytes);
  const external = models.filter((one) => one.files.size > 1).map((one) => [one.name, one.files.size - 1]);
  const made = new Map(tokens);
  if (writesText(model.headKind) && !files.has(GENERATION_CONFIG)) {
    made.set(GENERATION_CONFIG, json(generationConfigOf(JSON.parse(text(CONFIG)))));
  }
  const sentence = model.layer || model.config.picture ? [] : sentenceFiles(model, notes?.data.max_length);
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

function json(content: unknown): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}

function inMemory(content: string): ByteStream {
  const bytes = new TextEncoder().encode(content);
  return { byteLength: bytes.length, chunks: () => [bytes] };
}

/** Generic tokenizer classes. With these, transformers.js gives both texts of a pair the same token type. */
const NO_CLASS = ['PreTrainedTokenizer', 'PreTrainedTokenizerFast', 'TokenizersBackend'];

/**
 * A tokenizer_config.json with which transformers.js makes the same tokens as in training.
 *
 * @param frames whether the tokenizer adds tokens before or after a text
 * @param maxLength number of tokens after which a text was truncated in training
 * @param chatTemplate from a separate file, which transformers.js does not read
 */
function onnxTokenizerConfig(
  tokenizerConfig: Readonly<Record<string, unknown>>,
  { definition, config, headKind }: Pick<TaskModel, 'definition' | 'config' | 'headKind'>,
  { frames, maxLength, chatTemplate }: { frames: boolean; maxLength?: number; chatTemplate?: string },
): Record<string, unknown> {
  const { tokenizer_class, model_max_length, chat_template } = tokenizerConfig;
  const isNamed = typeof tokenizer_class === 'string' && !NO_CLASS.includes(tokenizer_class);
  const ownClass = config.typeVocabSize > 1 ? tokenizerClassOf(definition.modelType) : undefined;
  const { mainUse, reads } = headNamed(headKind);
  // A prompt may be longer than the training examples.
  const lengths = [model_max_length, config.maxLength, mainUse === 'generate' ? undefined : maxLength];
  const longest = Math.min(...lengths.filter((length) => typeof length === 'number'));
  return {
    ...tokenizerConfig,
    ...(!isNamed && ownClass && { tokenizer_class: ownClass }),
    ...(Number.isFinite(longest) && { model_max_length: longest }),
    // Without this, the text generation pipeline omits the tokenizer's added tokens.
    ...(reads === 'cached' && frames && { add_bos_token: true }),
    ...(chat_template === undefined && chatTemplate !== undefined && { chat_template: chatTemplate }),
  };
}
