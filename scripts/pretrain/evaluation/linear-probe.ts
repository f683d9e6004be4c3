import { Graph } from '../../../src/engine/graph/graph.ts';
import { collate, planEvaluation } from '../../../src/input/text/batches.ts';
import { loadTokenizer } from '../../../src/input/text/node/load-tokenizer.ts';
import { type BertConfig, bertModel } from '../../../src/models/families/bert/model.ts';
import { Network } from '../../../src/models/nn/network.ts';
import { nodeEngine } from '../../../src/program/node/node-engine.ts';
import { modelFeeds, modelInputs } from '../../../src/program/objectives/model-inputs.ts';
import { classLoss, sequenceModel } from '../../../src/program/objectives/sequence-loss.ts';
import { openModel } from '../../../src/use/trained/node/load-model.ts';
import type { LabelledText } from './bag-of-words.ts';
import { logisticRegression, predictsOne } from './logistic-regression.ts';

const BATCH = 64;
const STRENGTH = 1;

/**
 * Accuracy of a logistic regression on a frozen encoder's mean hidden state in the last layer. This is the
 * encoder's quality without fine-tuning.
 */
export async function linearProbe(
  folder: string,
  train: readonly LabelledText[],
  test: readonly LabelledText[],
  maxLength: number,
): Promise<number> {
  const texts = [...train, ...test].map(({ text }) => text);
  const features = standardised(await meanStates(folder, texts, maxLength), train.length);
  const labels = train.map(({ label }) => label);
  const weights = logisticRegression(
    features.slice(0, train.length),
    labels,
    features[0]!.at.length,
    STRENGTH,
  );
  const right = test.filter(
    ({ label }, i) => Number(predictsOne(features[train.length + i]!, weights)) === label,
  );
  return right.length / test.length;
}

async function meanStates(
  folder: string,
  texts: readonly string[],
  maxLength: number,
): Promise<Float64Array[]> {
  const model = await openModel(folder, (definition, config) => sequenceModel(definition, config, classLoss));
  const tokenizer = await loadTokenizer(folder, { typeVocabSize: model.config.typeVocabSize });
  const graph = new Graph();
  const hidden = bertModel(new Network(graph), model.config as BertConfig, modelInputs(graph));
  const width = hidden.shape[1] as number;
  const session = await nodeEngine(model, 'cpu').open({ hidden });
  const encodings = texts.map((text) => tokenizer.encode(text, undefined, maxLength));
  const means = texts.map(() => new Float64Array(width));
  for (const rows of planEvaluation(
    { lengths: Int32Array.from(encodings, ({ inputIds }) => inputIds.length) },
    BATCH,
  )) {
    const batch = collate(
      Array.from(rows, (row) => encodings[row]!),
      tokenizer.padId,
    );
    const { data } = (await session.run(modelFeeds(batch))).hidden!;
    rows.forEach((row, example) => {
      const { length } = encodings[row]!.inputIds;
      for (let position = 0; position < length; position++)
        for (let i = 0; i < width; i++)
          means[row]![i]! += data[(position * rows.length + example) * width + i]! / length;
    });
  }
  await session.release();
  model.close();
  return means;
}

/**
 * Scales each element to mean 0 and variance 1 over the first `count` rows. Then scales rows to a length of
 * about 1. Appends a 1 to each row.
 */
function standardised(rows: readonly Float64Array[], count: number) {
  const width = rows[0]!.length;
  const at = Int32Array.from({ length: width + 1 }, (_, i) => i);
  const mean = new Float64Array(width);
  const square = new Float64Array(width);
  for (const row of rows.slice(0, count)) {
    for (let i = 0; i < width; i++) {
      mean[i]! += row[i]! / count;
      square[i]! += row[i]! ** 2 / count;
    }
  }
  return rows.map((row) => {
    const scaled = row.map(
      (x, i) => (x - mean[i]!) / Math.sqrt(width * Math.max(square[i]! - mean[i]! ** 2, 1e-12)),
    );
    return { at, value: Float64Array.from([...scaled, 1]) };
  });
}
