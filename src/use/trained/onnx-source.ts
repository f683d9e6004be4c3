import type { TunedValues } from '../../methods/tuners/tuner.ts';
import { headNamed } from '../../models/heads/registry.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { UserError } from '../../support/user-error.ts';
import { ADAPTER, LAYER } from '../optimum/model-graphs.ts';
import type { OnnxSource } from '../optimum/onnx-files.ts';
import { finiteReader } from './finite-values.ts';
import { fittingReader } from './fitting-base.ts';
import type { Notes } from './notes.ts';

/** A model with its adapter, if it has one. */
export interface OnnxModel extends TunedValues {
  model: LoadedModel;
  notes: Notes | undefined;
}

/**
 * The source of ONNX files: an adapter is merged into the weights, or becomes layers of the graph. A buffer that the
 * checkpoint lacks is zeros.
 *
 * @throws UserError if no such file can have the adapter
 */
export function onnxSource({ model, tuner, values, notes }: OnnxModel): OnnxSource {
  if (tuner.virtualTokens && headNamed(model.headKind).reads === 'cached') {
    throw new UserError({
      where: 'the adapter',
      fault: `puts ${tuner.virtualTokens.count} virtual tokens before every text, which programs for ONNX do not count in their cache`,
      hint: 'Use adalora generate.',
      code: 'unsupported',
    });
  }
  const readBase = fittingReader({ model, notes });
  const read = finiteReader(tuner.merged?.(values, readBase) ?? readBase);
  return {
    model,
    tuner: tuner.merged ? undefined : tuner,
    read(name, start, end) {
      if (name === ADAPTER) return values.slice(start, end);
      if (name === LAYER.weight && notes?.layer) return notes.layer.weight.slice(start, end);
      if (name === LAYER.bias && notes?.layer) return notes.layer.bias.slice(start, end);
      if (!model.buffers.has(name)) return read(name, start, end);
      return 'data' in model.locate(name) ? new Float32Array(end - start) : model.readRange(name, start, end);
    },
  };
}
