import { max, multiply } from '../../engine/graph/build.ts';
import { Graph, type Value } from '../../engine/graph/graph.ts';
import type { WeightLocation } from '../../engine/onnx/weights.ts';
import type { Tensors } from '../../engine/runtime/session.ts';
import { type FolderFiles, fileChunks } from '../../input/formats/files.ts';
import type { SafetensorsFile } from '../../input/formats/safetensors.ts';
import type { MadeTensor } from '../../input/formats/tensor-data.ts';
import { randomBatch } from '../../input/text/batches.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import type { FrozenBase } from '../../models/nn/base/frozen-base.ts';
import { Network } from '../../models/nn/network.ts';
import { elementCount } from '../../support/arrays.ts';
import { releasing } from '../../support/opened.ts';
import { Random } from '../../support/random.ts';
import type { Engine } from '../engine.ts';
import type { ModelMachine } from '../machine.ts';
import { modelFeeds } from '../objectives/model-inputs.ts';
import { inNetwork, type TaskModel } from '../objectives/task-model.ts';
import type { LoadedModel } from '../weight-memory.ts';
import type { BaseDtype } from './base-dtype.ts';
import { assertedFormat, type BaseFormat, type MatrixShape } from './base-format.ts';
import { COPY, copyKey, intactCopy, type OnWritten, openCopy, refuseCache, writeCopy } from './kept-copy.ts';

/** The parts of a machine that make and keep a copy. */
type BaseMachine = Pick<ModelMachine, 'disk' | 'engine' | 'cacheFolder'>;

interface BaseOptions {
  /** The folder for the copy (default: the user's cache folder). */
  cacheFolder?: string;
  /** Called while a copy is made, which takes about as long as reading the checkpoint. */
  onWritten?: OnWritten;
}

/** Name of the folder with a copy that only a measurement reads, before it gets a temporary name. */
const MEASURED = 'measured';
/** Elements per read. */
const CHUNK = 2 ** 20;
const STORED = { float32: 'F32', float16: 'F16', bfloat16: 'BF16', uint8: 'U8' } as const;
const ENGINE_DTYPES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16', U8: 'uint8' } as const;

/**
 * Returns the model with its frozen linear weights stored as integers of 8 or 4 bits. The quantized copy is
 * made once, cached and memory-mapped. Merging and new heads still read the original checkpoint.
 *
 * @param model is closed together with the result, or at once if the copy cannot be made
 * @throws UserError if no weight of the model can be stored as this type
 */
export async function withBaseDtype<Model extends TaskModel>(
  machine: BaseMachine,
  model: LoadedModel<Model>,
  dtype: BaseDtype,
  options: BaseOptions = {},
): Promise<LoadedModel<Model>> {
  if (dtype === 'float32') return model;
  try {
    return await onCopy(machine, model, dtype, assertedFormat(model, dtype), options);
  } catch (error) {
    model.close();
    throw error;
  }
}

async function onCopy<Model extends TaskModel>(
  machine: BaseMachine,
  model: LoadedModel<Model>,
  dtype: Exclude<BaseDtype, 'float32'>,
  format: BaseFormat,
  { cacheFolder = machine.cacheFolder(), onWritten = () => {} }: BaseOptions,
): Promise<LoadedModel<Model>> {
  // A copy contains the weights of one model's head. Another head may need weights that this copy lacks, such
  // as BERT's pooler.
  const stored = storedPlaces(model);
  const weights = machine.disk.within(model.weightFolder);
  const how = { ...format.key, tensors: [...stored.keys()].sort() };
  const cache = machine.disk.within(cacheFolder);
  const files = [...new Set(stored.values())].map((file) => weights.path(file));
  const folder = cache.within(`${dtype}-${copyKey(machine, files, how)}`);
  const write = async () => {
    await measure(machine, model, dtype, format, cache, (magnitudes, copy) => {
      const tensors = baseTensors(model, {
        format,
        magnitudes,
        stored: (place) => fileChunks(weights, place.file, place),
        measured: (name) =>
          copy?.has(name) ? fileChunks(machine.disk, copy.path, copy.info(name)) : undefined,
      });
      writeCopy(machine, folder, tensors, onWritten);
    });
    return openCopy(folder);
  };
  const copy = intactCopy(machine, folder) ?? (await write().catch(refuseCache));
  return {
    ...onBase(model, format.base),
    weightFolder: folder.name,
    packing: format.base.packing,
    locate(name) {
      if (!copy.has(name)) return model.locate(name);
      const { begin, end, dtype } = copy.info(name);
      return { file: COPY, begin, end, dtype: ENGINE_DTYPES[dtype as keyof typeof ENGINE_DTYPES] };
    },
    close() {
      copy.close();
      model.close();
    },
  };
}

/** The weights and inputs from which a base is made. */
interface BaseSource {
  format: BaseFormat;
  /** The largest input magnitudes of the modules in `format.measured`. */
  magnitudes: ReadonlyMap<string, Float32Array>;
  /** Returns the bytes of a tensor in the model's checkpoint. */
  stored(place: WeightLocation): Iterable<Uint8Array>;
  /** Returns the bytes of a tensor in the copy over which magnitudes were measured. They are not computed again. */
  measured(name: string): Iterable<Uint8Array> | undefined;
}

/**
 * The tensors of a base in a storage format. Tensors that the format does not change are copied. Parameters that the
 * checkpoint lacks are omitted.
 */
function baseTensors(model: LoadedModel, { format, magnitudes, stored, measured }: BaseSource): MadeTensor[] {
  const tensors = [...model.parameters, ...model.buffers].flatMap(([name, shape]): MadeTensor[] => {
    const place = model.locate(name);
    if ('data' in place) return [];
    const read = (start: number, end: number) => model.readRange(name, start, end);
    const module = name.replace(/\.weight$/, '');
    const { paths, words } = format.base;
    const isRounded = paths.has(module) || words === module;
    const rounded = isRounded
      ? format.tensors(module, shape as MatrixShape, read, magnitudes.get(module))
      : [];
    if (paths.has(module)) return rounded;
    const whole: MadeTensor = place.axes
      ? { name, dtype: 'F32', shape, make: () => inChunks(elementCount(shape), read) }
      : {
          name,
          dtype: STORED[place.dtype],
          shape,
          make: () => stored(place),
        };
    return [whole, ...rounded];
  });
  return tensors.map((tensor) => ({
    ...tensor,
    make: () => measured(tensor.name) ?? tensor.make(),
  }));
}

function* inChunks(count: number, read: (start: number, end: number) => Float32Array): Generator<Uint8Array> {
  for (let start = 0; start < count; start += CHUNK) {
    const { buffer, byteOffset, byteLength } = read(start, Math.min(count, start + CHUNK));
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}

/**
 * Measures what a format needs and passes it to `write`, with the copy of the weights that was measured, if any. This
 * copy is removed afterwards.
 */
async function measure(
  machine: BaseMachine,
  model: LoadedModel,
  dtype: Exclude<BaseDtype, 'float32'>,
  { measured, measuredOver }: BaseFormat,
  cache: FolderFiles,
  write: (magnitudes: Map<string, Float32Array>, copy?: SafetensorsFile) => void,
): Promise<void> {
  const over = (model: LoadedModel) => inputMagnitudes(model, machine.engine(model, 'cpu'), measured);
  if (!measuredOver || measured.size === 0) return write(await over(model));
  await cache.inScratchFolder(MEASURED, async ({ name: cacheFolder }) => {
    const stillOpen = { ...model, close() {} };
    const rounded = await onCopy(machine, stillOpen, dtype, measuredOver, { cacheFolder });
    const magnitudes = await over(rounded).finally(() => rounded.close());
    const copy = openCopy(machine.disk.within(rounded.weightFolder));
    try {
      write(magnitudes, copy);
    } finally {
      copy.close();
    }
  });
}

/** The checkpoint files of a model's tensors, by tensor name. */
function storedPlaces({ parameters, buffers, locate }: LoadedModel): Map<string, string> {
  return new Map(
    [...parameters.keys(), ...buffers.keys()].flatMap((name) => {
      const place = locate(name);
      return 'data' in place ? [] : [[name, place.file] as const];
    }),
  );
}

/** Name of the random numbers. */
const STREAM = 'input magnitudes';
/** Texts or files in the batch; a few suffice to find the outlier columns. */
const BATCH = 8;
const LENGTH = 32;

/**
 * Measures the largest magnitude of each input column of some linear modules, [inFeatures]. The inputs are
 * random tokens or numbers, because a transformer's outlier columns do not depend on its input.
 */
export async function inputMagnitudes(
  model: TaskModel,
  engine: Engine,
  paths: ReadonlySet<string>,
): Promise<Map<string, Float32Array>> {
  if (paths.size === 0) return new Map();
  const network = new Network(new Graph());
  // The base is shared by models with other heads, which read all rows.
  model.buildLogits(network, () => ({ everyRow: true }));
  const squares: Record<string, Value> = {};
  for (const [path, x] of network.linearInputs) if (paths.has(path)) squares[path] = max(multiply(x, x), [0]);
  const session = await engine.open(squares);
  const outputs = await releasing(session, () => session.run(randomFeeds(model.config)));
  return new Map(
    Object.entries(outputs).map(([path, { data }]) => [
      path,
      Float32Array.from(data, (square) => Math.sqrt(square)),
    ]),
  );
}

function randomFeeds({ vocabSize, maxLength, maxTargets = maxLength, content }: CommonConfig): Tensors {
  const batch = randomBatch(vocabSize, BATCH, Math.min(LENGTH, maxLength, maxTargets), STREAM);
  const dims = [BATCH, ...(content?.shape ?? [])];
  return {
    // The decoder of an encoder-decoder gets the same tokens. Inputs that a model does not read are ignored.
    ...modelFeeds({ ...batch, decoder: batch }),
    // Normalized pixels have about this deviation.
    ...(content && {
      [content.input]: { data: new Random(0, STREAM).normals(elementCount(dims), 1), dims },
    }),
  };
}

/** Returns the same model with graphs that read their frozen linear weights from a quantized base. */
export function onBase<Model extends TaskModel>(model: Model, base: FrozenBase): Model {
  return inNetwork(model, (network) => network.with({ base }));
}
