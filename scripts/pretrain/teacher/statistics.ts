import type { Value } from '../../../src/graph/graph.ts';
import { Graph } from '../../../src/graph/graph.ts';
import type { BertConfig } from '../../../src/models/bert/config.ts';
import { bertModel } from '../../../src/models/bert/model.ts';
import { Network } from '../../../src/nn/network.ts';
import { modelFeeds, modelInputs } from '../../../src/tasks/model-inputs.ts';
import { sequenceModel } from '../../../src/tasks/sequence-model.ts';
import { collate } from '../../../src/text/collate.ts';
import type { TextTokenizer } from '../../../src/text/tokenizer.ts';
import { openModel } from '../../../src/train/node/load-model.ts';
import { nodeEngine } from '../../../src/train/node/node-engine.ts';
import { type ChunkStore, chunkLengths, chunkTokens } from '../corpus/chunk-store.ts';

/** What the modules of a model read, by path, [tokens, width] row after row; `final` is its output. */
export type Readings = Map<string, Float32Array>;

/** Lengths of the texts, of each as many: no padding is among what is read. */
const LENGTHS = [12, 24, 48, 96];
const TEXTS_A_LENGTH = 5;

/** Runs an encoder on some chunks and notes what each linear module reads. */
export async function readings(
  folder: string,
  tokenizer: TextTokenizer,
  store: ChunkStore,
): Promise<Readings> {
  const model = openModel(folder, (definition, config) =>
    sequenceModel(definition, config, 'single_label_classification'),
  );
  const recorder = new Recorder(new Graph());
  const final = bertModel(recorder, model.config as BertConfig, modelInputs(recorder.graph));
  const names = [...recorder.inputs.keys(), 'final'];
  const values = [...recorder.inputs.values(), final];
  const session = await nodeEngine(model, 'cpu').open(
    Object.fromEntries(values.map((value, i) => [`reading_${i}`, value])),
  );
  const parts = new Map<string, Float32Array[]>(names.map((name) => [name, []]));
  const lengths = chunkLengths(store, store.teacher);
  const { before, after } = tokenizer.frame();
  for (const length of LENGTHS) {
    const chosen = [...lengths.keys()].filter((chunk) => lengths[chunk] === length).slice(0, TEXTS_A_LENGTH);
    const encodings = chosen.map((chunk) => {
      const inputIds = Int32Array.from([
        ...before,
        ...chunkTokens(store, store.teacher, chunk).tokens,
        ...after,
      ]);
      return { inputIds, tokenTypeIds: new Int32Array(inputIds.length), truncated: false };
    });
    const outputs = await session.run(modelFeeds(collate(encodings, tokenizer.padId)));
    names.forEach((name, i) => parts.get(name)?.push(outputs[`reading_${i}`].data as Float32Array));
  }
  await session.release();
  model.close();
  return new Map([...parts].map(([name, arrays]) => [name, joined(arrays)]));
}

class Recorder extends Network {
  readonly inputs = new Map<string, Value>();

  override linearGroup(...[paths, x, ...rest]: Parameters<Network['linearGroup']>): Value[] {
    this.inputs.set(paths[0], x);
    return super.linearGroup(paths, x, ...rest);
  }
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
