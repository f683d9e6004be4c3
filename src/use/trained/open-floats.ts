import { parseSmallJson } from '../../input/formats/bounded-json.ts';
import type { Checkpoint } from '../../input/formats/checkpoint.ts';
import { dequantizedTensors, findQuantization } from '../../input/formats/dequantize.ts';
import { fileChunks, readText } from '../../input/formats/files.ts';
import { openCheckpoint, weightFiles } from '../../input/formats/open-checkpoint.ts';
import type { Dtype } from '../../input/formats/tensor-data.ts';
import { copyKey, DIGEST, intactCopy, refuseCache, writeCopy } from '../../program/bases/kept-copy.ts';
import type { ModelMachine } from '../../program/machine.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import { joinedBytes } from '../../support/arrays.ts';
import { CONFIG } from './read-model.ts';

/**
 * Opens a model folder's checkpoint. If another program has quantized it, a copy with float weights is opened, which is written
 * once and kept in the user's cache.
 *
 * @throws UserError like `openCheckpoint`, and for tensors that do not fit each other
 */
export function openFloats(machine: ModelMachine, folder: string, model: TaskModel): Checkpoint {
  const { disk } = machine;
  const where = disk.within(folder).path(CONFIG);
  const json = disk.has(where)
    ? parseSmallJson(
        new TextEncoder().encode(readText(disk, where, 'the config.json of a Hugging Face model')),
        where,
      )
    : {};
  const quantization = findQuantization(json, where);
  if (!quantization) return openCheckpoint(disk, folder);
  const transposed = model.linears.some((linear) => linear.transposed);
  const key = copyKey(machine, weightFiles(disk, folder), { ...quantization.settings, transposed });
  const copy = disk.within(machine.cacheFolder()).within(`float-${key}`);
  const kept = intactCopy(machine, copy);
  kept?.close();
  if (!kept) {
    machine.warn(
      `${folder} is quantized by ${quantization.method}. Its weights are written to ${copy.name} as floats.`,
    );
    const stored = openCheckpoint(disk, folder);
    try {
      const tensors = {
        names: stored.names,
        info: (name: string) => stored.info(name) as { dtype: Dtype; shape: readonly number[] },
        read(name: string) {
          const { file, begin, end } = stored.info(name);
          return joinedBytes([...fileChunks(disk, file, { begin, end })]);
        },
      };
      writeCopy(machine, copy, dequantizedTensors(tensors, quantization, transposed, folder));
    } catch (error) {
      refuseCache(error);
    } finally {
      stored.close();
    }
  }
  const floats = openCheckpoint(disk, copy.name);
  return { ...floats, names: () => floats.names().filter((name) => name !== DIGEST) };
}
