import type { ByteStream } from '../../engine/onnx/schema.ts';
import { exportedTextFiles } from '../../input/text/exported-files.ts';
import { headNamed, writesText } from '../../models/heads/registry.ts';
import { generationConfigOf } from '../../program/generation/generation-config.ts';
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
   * The files by name: config.json, the files that inputs need and, if present, the files for generation and the chat
   * template.
   */
  files: ReadonlyMap<string, Uint8Array>;
  /** Returns the path of a file, for messages. */
  where(name: string): string;
}

/**
 * A model as ONNX files with its config and what inputs need, for a folder that transformers.js and Optimum load. Files are
 * listed by path, config.json last. Unchanged files of the base model are not included. An adapter is merged into the
 * weights, or becomes layers of the graph. Tensors are made one by one while they are written.
 *
 * @throws UserError for unknown types, an adapter with NaN and missing or damaged files; while a file is written,
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
  const models = onnxFiles(onnxSource(opened), dtypes, maxBytes);
  const external = models.filter((one) => one.files.size > 1).map((one) => [one.name, one.files.size - 1]);
  const { mainUse, reads } = headNamed(model.headKind);
  const made = new Map<string, string>();
  if (!model.config.picture) {
    // A prompt may be longer than the training examples.
    const lengths = [model.config.maxLength, mainUse === 'generate' ? undefined : notes?.data.max_length];
    const { modelType } = model.definition;
    const facts = { ...model.config, modelType, lengths, continues: reads === 'cached' };
    for (const [name, content] of exportedTextFiles(files, where, facts)) made.set(name, json(content));
  }
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
