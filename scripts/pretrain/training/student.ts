import { Graph } from '../../../src/engine/graph/graph.ts';
import type { Session, Tensors } from '../../../src/engine/runtime/session.ts';
import { everyParameter } from '../../../src/methods/tuners/full/definition.ts';
import type { ParameterLayout } from '../../../src/methods/tuners/parameter-layout.ts';
import { bert } from '../../../src/models/families/bert/definition.ts';
import { parseBertConfig } from '../../../src/models/families/bert/model.ts';
import { Network } from '../../../src/models/nn/network.ts';
import { nodeEngine } from '../../../src/program/node/node-engine.ts';
import { type Objective, Program } from '../../../src/program/program.ts';
import { TRAINED, tunedNetwork } from '../../../src/program/training-graph.ts';
import { CONFIG } from '../shape.ts';
import { lossTerms, type ObjectiveName, totalLoss } from './objective.ts';

/** Computes the encoder's loss and gradient on a batch during training. */
export class Student {
  readonly layout: ParameterLayout;
  readonly #program: Program;
  readonly #terms: Promise<Session>;

  constructor(objective: ObjectiveName, teacherWidth: number) {
    // No dropout: few texts are read more than once or twice, so the model hardly overfits.
    const config = parseBertConfig(
      { ...CONFIG, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 },
      'config.json',
    );
    const terms = (network: Network) => lossTerms(network, config, objective, teacherWidth);
    const buildLoss = (network: Network) => totalLoss(terms(network), objective);
    const described = new Network(new Graph());
    buildLoss(described);
    const { parameters, buffers, linears, wordTables } = described;
    const model = {
      definition: bert,
      config,
      headKind: 'MASKED_LM' as const,
      head: bert.heads.MASKED_LM!,
      linears: [...linears.values()],
      sublayers: [...described.sublayers.values()],
      parameters,
      buffers,
      wordTables,
      buildLogits: () => {
        throw new Error('a student has a loss only');
      },
      buildLoss,
    };
    const tuner = everyParameter(model);
    const engine = nodeEngine(
      {
        weightFolder: '.',
        locate: (name) => {
          throw new Error(`${name} is not trained`);
        },
        reader: () => () => new Float32Array(),
        readRange: () => new Float32Array(),
        fileOf: () => undefined,
        initialized: [],
        close: () => {},
      },
      'cpu',
    );
    this.layout = tuner.layout;
    this.#program = new Program(engine, model, tuner);
    this.#terms = engine.open(terms(tunedNetwork(tuner, false).network));
  }

  differentiate(values: Float32Array, feeds: Tensors): Promise<Objective> {
    return this.#program.differentiate(values, feeds, 0, 0);
  }

  /** Computes the terms of the loss. */
  async terms(values: Float32Array, feeds: Tensors): Promise<Record<string, number>> {
    const trained = { [TRAINED]: { data: values, dims: [values.length] } };
    const outputs = await (await this.#terms).run({ ...trained, ...feeds });
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data[0]!]));
  }

  async release(): Promise<void> {
    await this.#program.release();
    await (await this.#terms).release();
  }
}
