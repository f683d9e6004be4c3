import { Graph } from '../../../src/engine/graph/graph.ts';
import type { Session } from '../../../src/engine/runtime/session.ts';
import { type BertConfig, bertModel } from '../../../src/models/families/bert/model.ts';
import { Network } from '../../../src/models/nn/network.ts';
import type { BaseDtype } from '../../../src/program/bases/base-dtype.ts';
import { baseFormat } from '../../../src/program/bases/base-format.ts';
import { withBaseDtype } from '../../../src/program/bases/with-base-dtype.ts';
import { nodeEngine } from '../../../src/program/node/node-engine.ts';
import { modelInputs } from '../../../src/program/objectives/model-inputs.ts';
import { classLoss, sequenceModel } from '../../../src/program/objectives/sequence-loss.ts';
import { models, openModel } from '../../../src/use/trained/node/load-model.ts';

export interface TeacherModel {
  width: number;
  /** Maps the inputs of a batch to `hidden` [sequence · batch, width], the last layer's hidden states. */
  session: Session;
}

/** Opens a BERT encoder for inference only. */
export async function openTeacher(folder: string, dtype: BaseDtype): Promise<TeacherModel> {
  const opened = await openModel(folder, (definition, config) =>
    sequenceModel(definition, config, classLoss),
  );
  const model = await withBaseDtype(models.machine, opened, dtype);
  const config = model.config as BertConfig;
  const graph = new Graph();
  const plain = new Network(graph);
  const network = dtype === 'float32' ? plain : plain.with({ base: baseFormat(opened, dtype).base });
  const hidden = bertModel(network, config, modelInputs(graph));
  return { width: config.hidden_size, session: await nodeEngine(model, 'cpu').open({ hidden }) };
}
