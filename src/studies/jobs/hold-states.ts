import type { GraphNode, Value } from '../../engine/graph/graph.ts';
import { reachable } from '../../engine/graph/print.ts';
import type { Tuner } from '../../methods/tuners/tuner.ts';
import { ENCODER_STATES } from '../../models/nn/network.ts';
import { Contents } from '../../program/modalities/contents.ts';
import type { PartRow } from '../../program/modalities/modality.ts';
import { inNetwork, type TaskModel } from '../../program/objectives/task-model.ts';
import { trainingNetwork } from '../../program/training-graph.ts';
import { releasing } from '../../support/opened.ts';
import { UNKNOWN_STEPS } from './open-run.ts';
import type { Run } from './run.ts';
import { startValues } from './set-up-run.ts';

/** States that need more memory are computed in every step. */
const MAX_BYTES = 2 * 2 ** 30;

/**
 * Computes the states of an encoder once for each file if the method leaves the encoder as it is. Later stages compute the
 * decoder alone.
 */
export async function holdStates(run: Run): Promise<void> {
  const { files, base, communicator, host } = run;
  const { modality, family, rows } = files;
  const { content } = family.config;
  if (!content || !(modality instanceof Contents)) return;
  const states = frozenStates(
    base.model,
    startValues(files, base.model, UNKNOWN_STEPS).method.tuner,
    content.input,
  );
  if (!states) return;
  const clips = [rows.train, ...rows.validation.map((set) => set.rows)].flat() as PartRow[];
  const distinct = [...new Map(clips.map((clip) => [modality.item(clip).digest, clip]))];
  const onProgress = run.progress('preparation');
  const known = new Map<string, Float32Array>();
  const session = await base.engine.open({ states });
  const isAlone = communicator.size === 1;
  const shape = await releasing(session, async () => {
    let shape: readonly number[] = [];
    for (const [digest, clip] of distinct) {
      // The stages that follow end a run that is stopped.
      if (isAlone && host.shouldStop()) return undefined;
      const { data, dims } = (await session.run(modality.rows([clip]).feeds([0], 0))).states!;
      shape = dims;
      if (data.byteLength * distinct.length > MAX_BYTES) return undefined;
      known.set(digest, Float32Array.from(data));
      onProgress(known.size / distinct.length);
    }
    return shape;
  });
  if (!shape) return;
  run.holdsStates = true;
  run.files = { ...files, modality: modality.known(ENCODER_STATES, shape, known) };
  run.base = { ...base, model: inNetwork(base.model, (network) => network.with({ readsStates: true })) };
}

/** The encoder's states, if nothing but the content of a file changes them. */
function frozenStates(model: TaskModel, tuner: Tuner, content: string): Value | undefined {
  let states: Value | undefined;
  model.buildLogits(trainingNetwork(tuner, {}).network, () => ({ onEncoded: (value) => (states = value) }));
  const isOther = (node: GraphNode) =>
    node.op === 'input' && (node as GraphNode<'input'>).attributes.name !== content;
  return states && !reachable([states]).some(isOther) ? states : undefined;
}
