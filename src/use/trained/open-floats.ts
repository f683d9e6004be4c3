import { MAX_JSON_BYTES, parseSmallJson } from '../../input/formats/bounded-json.ts';
import { wholeFile } from '../../input/formats/byte-source.ts';
import { type Checkpoint, SAFETENSORS, Weights } from '../../input/formats/checkpoint.ts';
import { type ByteTensors, dequantizedTensors, findQuantization } from '../../input/formats/dequantize.ts';
import { type FolderFiles, fileChunks } from '../../input/formats/files.ts';
import { openCheckpoint, weightFiles } from '../../input/formats/open-checkpoint.ts';
import type { Dtype } from '../../input/formats/tensor-data.ts';
import {
  COPY,
  copyKey,
  DIGEST,
  intactCopy,
  openCopy,
  refuseCache,
  writeCopy,
} from '../../program/bases/kept-copy.ts';
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
  const file = disk.open(where);
  const quantization = findQuantization(
    file && parseSmallJson(wholeFile(file, MAX_JSON_BYTES), where),
    where,
  );
  if (!quantization) return openCheckpoint(disk, folder);
  const transposed = model.linears.some((linear) => linear.transposed);
  const key = copyKey(machine, weightFiles(disk, folder), { ...quantization.settings, transposed });
  const copy = disk.within(machine.cacheFolder()).within(`float-${key}`);
  const write = () => {
    machine.warn(
      `${folder} is quantized by ${quantization.method}. Its weights are written to ${copy.name} as floats.`,
    );
    const stored = openCheckpoint(disk, folder);
    try {
      writeCopy(machine, copy, dequantizedTensors(asBytes(stored, disk), quantization, transposed, folder));
    } catch (error) {
      refuseCache(error);
    } finally {
      stored.close();
    }
    return openCopy(copy);
  };
  const weights = new Weights(copy.name, SAFETENSORS);
  weights.add(COPY, intactCopy(machine, copy) ?? write());
  const floats = weights.checkpoint();
  return { ...floats, names: () => floats.names().filter((name) => name !== DIGEST) };
}

function asBytes({ names, info }: Checkpoint, disk: FolderFiles): ByteTensors {
  return {
    names,
    info: (name) => info(name) as { dtype: Dtype; shape: readonly number[] },
    read(name) {
      const { file, begin, end } = info(name);
      return joinedBytes([...fileChunks(disk, file, { begin, end })]);
    },
  };
}
