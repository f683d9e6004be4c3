import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { readAdapter } from '../../../input/formats/adapters/node/adapter-folder.ts';
import { type DownloadProgress, weightsDigest } from '../../../input/formats/byte-source.ts';
import { weightFiles } from '../../../input/formats/node/checkpoint.ts';
import { contentDigest } from '../../../input/formats/node/content-digest.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { resolveModel } from '../../../input/hub/node/resolve-model.ts';
import type { BaseDtype } from '../../../program/bases/base-dtype.ts';
import { withBaseDtype } from '../../../program/bases/node/with-base-dtype.ts';
import type { Engine } from '../../../program/engine.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import type { TaskModel } from '../../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { lazy } from '../../../support/options.ts';
import { openWeights, readFolder } from '../../trained/node/load-model.ts';
import { readRunBase } from '../../trained/node/locate-trained.ts';
import { type AdapterContent, type FoundAdapter, readContent } from '../served-adapter.ts';
import { BaseModel } from '../served-base.ts';
import { readState } from './find-adapters.ts';

/** A base model's folder, by its real path. Its weights are mapped. */
export class BaseFolder extends BaseModel {
  readonly name: string;
  readonly #digest = lazy(() => weightsDigest(weightFiles(this.folder).map((path) => contentDigest(path))));

  private constructor(model: string, ...base: ConstructorParameters<typeof BaseModel>) {
    super(...base);
    this.name = modelName(model);
  }

  /**
   * @param model a folder, or an id on the Hub
   * @throws UserError if it is missing or damaged
   */
  static async open(
    model: string,
    baseDtype: BaseDtype,
    onProgress?: (progress: DownloadProgress) => void,
  ): Promise<BaseFolder> {
    return BaseFolder.at(await resolveModel(model, { onProgress }), model, baseDtype);
  }

  /** Opens the base model again in another thread. */
  static async at(folder: string, model: string, baseDtype: BaseDtype): Promise<BaseFolder> {
    return new BaseFolder(model, folder, await readFolder(folder), baseDtype);
  }

  /** Whether an adapter names this model as its base. Folders are compared by name. */
  isCalled(name: string): boolean {
    if (existsSync(name) && realpathSync(name) === this.folder) return true;
    return modelName(name) === this.name;
  }

  get bytes(): number {
    return weightFiles(this.folder).reduce((sum, file) => sum + statSync(file).size, 0);
  }

  get digest(): string {
    return this.#digest();
  }

  /** Reads an adapter of this base like {@link readContent}. */
  read(adapter: FoundAdapter): Promise<AdapterContent> {
    return readContent(adapter, this, {
      read: readAdapter,
      files: folderFiles,
      readRunBase,
      readState,
    });
  }

  protected openWeights(model: TaskModel): LoadedModel {
    return openWeights(this.folder, model);
  }

  protected withDtype(model: LoadedModel): Promise<LoadedModel> {
    return withBaseDtype(model, this.baseDtype);
  }

  engine(model: LoadedModel): Engine {
    return nodeEngine(model, 'cpu');
  }
}

/** The name in `owner/name@revision` or `folder/name/`. */
function modelName(model: string): string {
  return basename(model).replace(/@[^@]*$/, '');
}
