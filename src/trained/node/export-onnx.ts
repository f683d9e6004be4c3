import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { atomicWrite } from '../../formats/node/atomic-write.ts';
import { makeFolder } from '../../formats/node/make-folder.ts';
import { generationConfigOf } from '../../generation/legacy-config.ts';
import { ADAPTER } from '../../optimum/model-graphs.ts';
import type { OnnxDtype } from '../../optimum/onnx-dtypes.ts';
import { type OnnxSource, onnxFiles } from '../../optimum/onnx-files.ts';
import { TOKENIZER_FILES, tokenizerJsons } from '../../text/build-tokenizer.ts';
import { loadTokenizer, readTokenizerFiles } from '../../text/node/load-tokenizer.ts';
import { trainedConfig } from '../full-model.ts';
import { onnxConfig } from '../onnx-config.ts';
import { onnxTokenizerConfig } from '../onnx-tokenizer.ts';
import { readModelConfig } from './load-model.ts';
import type { OpenedTuned } from './open-tuned.ts';
import { copySharedFiles, sharedFiles } from './write-model.ts';

export interface ExportOnnxOptions {
  /** How the weights are kept: a file for each; fp32 alone where nothing is said. */
  dtypes?: readonly OnnxDtype[];
  /** The most bytes of a file; what is more goes to files of external data. By default what protobuf allows. */
  maxBytes?: number;
}

/** The folder of the ONNX files within the model's, where transformers.js looks for them. */
const ONNX = 'onnx';

/**
 * Writes a model as ONNX files with its config and its tokenizer: a folder that transformers.js and Optimum load. What an
 * adapter adds is merged into the weights, or is layers of the graph. Tensors are written one by one.
 *
 * @throws UserError for a tokenizer that is missing or damaged, and for values that a type cannot hold
 */
export function exportOnnx(
  opened: OpenedTuned,
  output: string,
  { dtypes = ['fp32'], maxBytes }: ExportOnnxOptions = {},
): void {
  const { model, baseFolder, notes } = opened;
  const shared = sharedFiles(baseFolder);
  const tokenizer = tokenizerJsons(readTokenizerFiles(baseFolder), (name) => join(baseFolder, name));
  const template = shared.get('chat_template.jinja');
  const { before, after } = loadTokenizer(baseFolder, model.config).frame();
  const tokenizerConfig = onnxTokenizerConfig(Object(tokenizer.config), model, {
    frames: before.length + after.length > 0,
    maxLength: notes?.data.max_length,
    chatTemplate: template && readFileSync(template, 'utf8'),
  });
  const external: Record<string, number> = {};
  makeFolder(join(output, ONNX));
  for (const { name, files } of onnxFiles(sourceOf(opened), dtypes, maxBytes)) {
    for (const [file, { chunks }] of files) atomicWrite(join(output, ONNX, file), chunks());
    if (files.size > 1) external[name] = files.size - 1;
  }
  copySharedFiles(baseFolder, output);
  const write = (name: string, content: unknown) =>
    atomicWrite(join(output, name), `${JSON.stringify(content, null, 2)}\n`);
  if (!shared.has(TOKENIZER_FILES.tokenizer)) write(TOKENIZER_FILES.tokenizer, tokenizer.tokenizer);
  write(TOKENIZER_FILES.config, tokenizerConfig);
  const writes = model.headKind === 'CAUSAL_LM' || model.headKind === 'SEQ_2_SEQ_LM';
  if (writes && !shared.has('generation_config.json')) {
    write('generation_config.json', generationConfigOf(readModelConfig(baseFolder)));
  }
  const text = readFileSync(join(baseFolder, 'config.json'), 'utf8');
  const config = trainedConfig(text, model, notes, 'float32');
  atomicWrite(join(output, 'config.json'), onnxConfig(config, model.config, dtypes, external));
}

/** What the files are made of. A buffer that the checkpoint lacks is zeros. */
function sourceOf({ model, tuner, values }: OpenedTuned): OnnxSource {
  const read = tuner.merged?.(values, model.readRange) ?? model.readRange;
  return {
    model,
    tuner: tuner.merged ? undefined : tuner,
    read(name, start, end) {
      if (name === ADAPTER) return values.slice(start, end);
      const place = model.buffers.has(name) && model.locate(name);
      return place && 'data' in place ? new Float32Array(end - start) : read(name, start, end);
    },
  };
}
