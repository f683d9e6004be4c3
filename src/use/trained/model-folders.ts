import { ADAPTER_CONFIG } from '../../input/formats/adapters/adapter-files.ts';
import { readAdapterIn } from '../../input/formats/adapters/read-stored-adapter.ts';
import { MAX_JSON_BYTES, parseSmallJson } from '../../input/formats/bounded-json.ts';
import { wholeFile } from '../../input/formats/byte-source.ts';
import { type Checkpoint, SAFETENSORS, Weights } from '../../input/formats/checkpoint.ts';
import { type ByteTensors, dequantizedTensors, findQuantization } from '../../input/formats/dequantize.ts';
import { type FolderFiles, fileChunks } from '../../input/formats/files.ts';
import { openCheckpoint, weightFiles } from '../../input/formats/open-checkpoint.ts';
import type { Dtype } from '../../input/formats/tensor-data.ts';
import { PLAIN_SENTENCE } from '../../models/sentence-settings.ts';
import {
  COPY,
  copyKey,
  DIGEST,
  intactCopy,
  openCopy,
  refuseCache,
  writeCopy,
} from '../../program/bases/kept-copy.ts';
import { withBaseDtype } from '../../program/bases/with-base-dtype.ts';
import { inTurns } from '../../program/engine.ts';
import type { ModelMachine } from '../../program/machine.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { joinedBytes } from '../../support/arrays.ts';
import { UserError } from '../../support/user-error.ts';
import { type Build, bindModel } from './bind-model.ts';
import { fittingBase } from './fitting-base.ts';
import { type Located, locateTrained, resolveBase } from './locate-trained.ts';
import type { ModelConfig } from './model-config.ts';
import type { OpenOptions } from './model-options.ts';
import { openTunedModel } from './open-model.ts';
import { OpenedModel } from './opened-model.ts';
import {
  buildModel,
  CONFIG,
  type Described,
  type DescribedModel,
  describeModel,
  readModel,
  withChanges,
} from './read-model.ts';
import { SENTENCE_FILES } from './sentence-files.ts';
import { type OpenedTuned, trainedParts } from './trained-parts.ts';
import { type KnownAdapter, knownAdapter } from './tune-model.ts';

/** How a trained model is opened, without an engine. */
export type OpenTunedOptions = Pick<
  OpenOptions,
  'model' | 'generates' | 'embeds' | 'onProgress' | 'onNotice'
>;

/** The models in the folders of a machine, and on the Hub. */
export class ModelFolders {
  constructor(readonly machine: ModelMachine) {}

  /**
   * Opens a model in this thread, to predict, evaluate, generate, merge or export: the folder of a run, an adapter (of
   * any method here, of PEFT or AdapterHub) or a model, or any of them on the Hub by its id. Close it after use.
   *
   * @throws UserError for anything missing, damaged or incompatible
   */
  async open(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
    const opened = await this.openTuned(path, options);
    try {
      const fitting = fittingBase(opened.notes, options.baseDtype, opened.folder);
      const model = await withBaseDtype(this.machine, opened.model, fitting);
      const { batchSize, continues, device = 'cpu', maxLength } = options;
      const engine = inTurns(this.machine.engine(model, device));
      const others = { path, engine, batchSize, continues };
      return new OpenedModel(trainedParts({ ...opened, model }, maxLength, others), opened, this.machine);
    } catch (error) {
      opened.model.close();
      throw error;
    }
  }

  /**
   * Opens a model like {@link open}, but computes nothing yet. The weights of a model without an adapter never pass
   * through JavaScript.
   */
  async openTuned(path: string, options: OpenTunedOptions = {}): Promise<OpenedTuned> {
    const { disk, hub, warn } = this.machine;
    const { onProgress, onNotice = warn } = options;
    const located = await locateTrained(hub, path, { onProgress, pools: options.embeds });
    const { folder } = located;
    const files = disk.within(folder);
    const adapter =
      located.kind === 'adapter'
        ? knownAdapter(await readAdapterIn(disk, folder), files.path(ADAPTER_CONFIG))
        : undefined;
    const baseFolder = adapter ? await this.#findBase(located, adapter, options) : folder;
    const opened = await openTunedModel(
      {
        files,
        adapter,
        where: adapter ? folder : path,
        readBase: (_, changes) => this.read(baseFolder, changes),
        openWeights: async (_, model, isHashed) => ({
          digests: isHashed ? weightFiles(disk, baseFolder).map(disk.digest) : [],
          model: this.openWeights(baseFolder, model),
        }),
        onNotice,
      },
      options,
    );
    return { ...opened, baseFolder, folder, adapter };
  }

  /** The folder of the model for which an adapter was made. */
  async #findBase(
    { folder, runModel }: Located,
    { stored }: KnownAdapter,
    { model, onProgress }: OpenTunedOptions,
  ): Promise<string> {
    const { hub } = this.machine;
    if (model !== undefined) return hub.resolveModel(model, { onProgress });
    return resolveBase(hub, runModel ?? stored.baseModel, folder, onProgress);
  }

  /** Describes the model in a folder. If a Hub snapshot may lack sentence-transformers' files, its pooling is unknown. */
  async describe(folder: string, changes?: ModelConfig): Promise<Described> {
    const { disk, hub } = this.machine;
    const described = await describeModel(disk.within(folder), changes, { quantized: true });
    if (hub.knowsPooling(folder) || described.family.config.content) return described;
    const unsupported = `the cached snapshot may lack ${SENTENCE_FILES.modules}; it is completed when the Hub can be reached`;
    return withChanges({ ...described, settings: { ...PLAIN_SENTENCE, unsupported } }, changes);
  }

  /** Reads everything in a folder except weights. */
  async read(folder: string, changes?: ModelConfig): Promise<DescribedModel> {
    return readModel(await this.describe(folder, changes), this.machine.decoders);
  }

  /** Opens a model folder's checkpoint and checks every tensor against the model. No weight is read yet. */
  async openModel<Model extends TaskModel>(
    folder: string,
    build: Build<Model>,
    changes?: ModelConfig,
  ): Promise<LoadedModel<Model>> {
    return this.openWeights(folder, buildModel(build, await this.describe(folder, changes)));
  }

  /** Like {@link openModel}, for a model that is described already. */
  openWeights<Model extends TaskModel>(folder: string, model: Model): LoadedModel<Model> {
    const checkpoint = openFloats(this.machine, folder, model);
    try {
      return bindModel(model, checkpoint, folder, (files) => this.#oneFolder(files, folder));
    } catch (error) {
      checkpoint.close();
      throw error;
    }
  }

  /**
   * The folder of all weight files.
   *
   * @throws UserError if links lead to several folders, because the engine maps files from one folder only
   */
  #oneFolder(files: ReadonlySet<string>, where: string): string {
    const folders = new Set([...files].map((file) => this.machine.disk.path(`${file}/..`)));
    if (folders.size === 1) return [...folders][0]!;
    throw new UserError({
      where,
      fault: `has shards that link to ${folders.size} folders`,
      hint: 'Copy them into one.',
    });
  }
}

/**
 * Opens a model folder's checkpoint. If another program has quantized it, a copy with float weights is opened, which is written
 * once and kept in the user's cache.
 *
 * @throws UserError like `openCheckpoint`, and for tensors that do not fit each other
 */
function openFloats(machine: ModelMachine, folder: string, model: TaskModel): Checkpoint {
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
