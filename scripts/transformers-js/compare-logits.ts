import { join } from 'node:path';
import { AutoTokenizer, env } from '@huggingface/transformers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Batch } from '../../src/input/text/batches.ts';
import { headNamed } from '../../src/models/heads/registry.ts';
import { requireTexts } from '../../src/program/modalities/texts.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { modelFeeds } from '../../src/program/objectives/model-inputs.ts';
import { Program } from '../../src/program/program.ts';
import { models, readFolder } from '../../src/use/trained/node/load-model.ts';

env.allowRemoteModels = false;

/** A text or a pair of texts. */
export type Example = readonly [text: string, pair?: string];

/** The logits of texts in one padded batch. */
export interface BatchLogits {
  batch: Batch;
  /**
   * Logits [batch, labels]; or by token, [batch · tokens, classes]; or of answers, first the starts and then
   * the ends, [2 · batch, tokens].
   */
  logits: Float32Array;
  /** Number of logits per token; undefined if the head is not token-level. */
  byToken?: number;
}

/**
 * Our logits of a model, in the order of ONNX files.
 *
 * @param what the model, as {@link openTuned} takes it; it must not generate text
 */
export async function ourLogits(
  what: string,
  examples: readonly Example[],
  base?: string,
): Promise<BatchLogits> {
  const { model, tuner, values, baseFolder } = await models.openTuned(what, { model: base });
  const texts = requireTexts((await readFolder(baseFolder)).modality(model.config));
  const encodings = examples.map(([text, pair]) => texts.encode(text, pair, model.config.maxLength));
  const batch = texts.padded(encodings);
  const program = new Program(nodeEngine(model, 'cpu'), model, tuner);
  const logits = await program.predict(values, modelFeeds(batch));
  await program.release();
  model.close();
  if (headNamed(model.headKind).axes[0] === 'batch') return { batch, logits };
  if (model.headKind === 'QUESTION_ANS') return { batch, logits, byToken: 1 };
  return {
    batch,
    logits: batchFirst(logits, batch),
    byToken: logits.length / (batch.batch * batch.length),
  };
}

/**
 * The logits of the same batch from an ONNX file.
 *
 * @param exported the folder of the export
 * @param file the file's name
 */
export async function exportedLogits(exported: string, file: string, batch: Batch): Promise<Float32Array> {
  const session = await InferenceSession.create(join(exported, 'onnx', file));
  const ids = (data: Int32Array) =>
    new Tensor('int64', BigInt64Array.from(data, BigInt), [batch.batch, batch.length]);
  const feeds: Record<string, Tensor> = {
    input_ids: ids(batch.inputIds),
    attention_mask: ids(batch.attentionMask),
    token_type_ids: ids(batch.tokenTypeIds),
  };
  const outputs = await session.run(
    Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!])),
  );
  await session.release();
  // Files with text vectors also have the hidden states as an output.
  const pooled = session.outputNames.filter((name) => name === 'sentence_embedding');
  const names = pooled.length > 0 ? pooled : session.outputNames;
  return Float32Array.from(names.flatMap((name) => [...(outputs[name]!.data as Float32Array)]));
}

/** The tokens of the texts from transformers.js. */
export async function exportedTokens(exported: string, examples: readonly Example[]): Promise<number[]> {
  const tokenizer = await AutoTokenizer.from_pretrained(exported);
  const pairs = examples.flatMap(([, pair]) => pair ?? []);
  const texts = examples.map(([text]) => text);
  const { input_ids } = tokenizer(texts, { padding: true, ...(pairs.length > 0 && { text_pair: pairs }) });
  return Array.from(input_ids.data as BigInt64Array, Number);
}

/** The largest difference between logits, without padding, and our largest logit. */
export function logitsDifference(
  { batch, logits, byToken }: BatchLogits,
  others: Float32Array,
): { largest: number; scale: number } {
  let [largest, scale] = [0, 0];
  const tokens = batch.batch * batch.length;
  logits.forEach((logit, i) => {
    if (byToken && batch.attentionMask[Math.floor(i / byToken) % tokens] === 0) return;
    scale = Math.max(scale, Math.abs(logit));
    largest = Math.max(largest, Math.abs(logit - others[i]!));
  });
  return { largest, scale };
}

/** Reorders rows of [tokens · batch, classes] to [batch · tokens, classes]. */
function batchFirst(logits: Float32Array, { batch, length }: Batch): Float32Array {
  const classes = logits.length / (batch * length);
  const turned = new Float32Array(logits.length);
  for (let row = 0; row < batch; row++) {
    for (let token = 0; token < length; token++) {
      const from = (token * batch + row) * classes;
      turned.set(logits.subarray(from, from + classes), (row * length + token) * classes);
    }
  }
  return turned;
}
