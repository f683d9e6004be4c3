import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { disk } from '../../src/input/formats/node/folder-files.ts';
import { requireTexts } from '../../src/program/modalities/texts.ts';
import { nodeEngine } from '../../src/program/node/node-engine.ts';
import { modelFeeds } from '../../src/program/objectives/model-inputs.ts';
import { Program } from '../../src/program/program.ts';
import { models, readFolder } from '../../src/use/trained/node/load-model.ts';
import { onnxForm } from '../../src/use/trained/onnx-folder.ts';
import { writeForm } from '../../src/use/trained/write-form.ts';

const TEXTS = ['the cat sat on the mat', 'a dog'];
/** The sums have another order, and a mutation may have made weights large. */
const CLOSE = 1e-3;

/**
 * Exports an adapter on its base as ONNX, and runs the file with onnxruntime.
 *
 * @returns the largest difference of logits, relative to the largest logit; undefined if the logits are
 * close, or overflow in both
 */
export async function exportDifference(adapter: string, base: string): Promise<number | undefined> {
  const opened = await models.openTuned(adapter, { model: base, onNotice: () => {} });
  const { model, tuner, values, baseFolder } = opened;
  const output = mkdtempSync(join(adapter, '..', 'onnx-'));
  try {
    writeForm(disk, opened, onnxForm(opened), output);
    const texts = requireTexts((await readFolder(baseFolder)).modality(model.config));
    const encodings = TEXTS.map((text) => texts.encode(text, undefined, model.config.maxLength));
    const batch = texts.padded(encodings);
    const program = new Program(nodeEngine(model, 'cpu', { threads: 1 }), model, tuner);
    const ours = await program.predict(values, modelFeeds(batch));
    await program.release();
    const session = await InferenceSession.create(join(output, 'onnx', 'model.onnx'), {
      intraOpNumThreads: 1,
      logSeverityLevel: 4,
    });
    const ids = (data: Int32Array) =>
      new Tensor('int64', BigInt64Array.from(data, BigInt), [batch.batch, batch.length]);
    const feeds: Record<string, Tensor> = {
      input_ids: ids(batch.inputIds),
      attention_mask: ids(batch.attentionMask),
      token_type_ids: ids(batch.tokenTypeIds),
    };
    const { logits } = await session.run(
      Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!])),
    );
    const theirs = logits!.data as Float32Array;
    await session.release();
    const scale = Math.max(1, ...Array.from(ours, Math.abs));
    if (!Number.isFinite(scale)) return theirs.every(Number.isFinite) ? Number.NaN : undefined;
    const largest = Math.max(...Array.from(ours, (value, i) => Math.abs(value - theirs[i]!))) / scale;
    return largest <= CLOSE ? undefined : largest;
  } finally {
    model.close();
    rmSync(output, { recursive: true, force: true });
  }
}
