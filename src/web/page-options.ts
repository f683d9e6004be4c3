import { EMBEDDED_MODEL } from '../data/hub/embedded-model.ts';
import { type FileSet, filesAt, filesFrom, type PageFile } from '../formats/file-set.ts';
import type { WebEngineOptions } from '../program/web-engine.ts';
import { UserError } from '../support/user-error.ts';

/** What a page gives in place of folders. */
export interface PageOptions {
  /** The files of the base model, or the address of their folder: on the Hub `…/OWNER/NAME/resolve/main/`. */
  model?: ReadonlyMap<string, PageFile> | string | URL;
  /** Where the embedded model's folder is served, `models/mini` of this package; by default where it lies in that. */
  modelUrl?: string | URL;
  /** The address of the folder with the engine's files (`dist` of onnxruntime-web); by default beside its code. */
  engineUrl?: string | URL;
  /** Threads of WebAssembly; more than one need a cross-origin isolated page. */
  threads?: number;
}

/** Where a model runs, and how. */
export type RunsOn = Omit<WebEngineOptions, 'weights'>;

/** What the engine is told of a page. */
export function runsOn(device: RunsOn['device'], { threads, engineUrl }: PageOptions): RunsOn {
  return { device, threads, ...(engineUrl !== undefined && { engineUrl: folderUrl(engineUrl).href }) };
}

/** The embedded model. Each file has an address of its own, by which bundlers such as Vite find it. */
const EMBEDDED: ReadonlyMap<string, URL> = new Map([
  ['config.json', new URL('../../models/mini/config.json', import.meta.url)],
  ['model.safetensors', new URL('../../models/mini/model.safetensors', import.meta.url)],
  ['tokenizer.json', new URL('../../models/mini/tokenizer.json', import.meta.url)],
  ['tokenizer_config.json', new URL('../../models/mini/tokenizer_config.json', import.meta.url)],
]);

/**
 * The files of a base model.
 *
 * @param name what a config or an adapter calls it
 * @throws UserError for a model that is given neither by its files nor by an address: a page looks nothing up
 */
export function modelFiles(name: string, { model, modelUrl }: PageOptions): FileSet {
  if (model instanceof Map) return filesFrom(model, name);
  if (model !== undefined) return filesAt(folderUrl(model as string | URL));
  if (name === EMBEDDED_MODEL)
    return modelUrl === undefined ? filesFrom(EMBEDDED, name) : filesAt(folderUrl(modelUrl));
  throw new UserError({
    where: 'model',
    expected: `the files of ${name}, or the address of their folder`,
    got: 'nothing',
    hint: 'Give them as the option model.',
  });
}

/** An address, relative to the page's, that ends where names of files begin. */
function folderUrl(address: string | URL): URL {
  const url = new URL(address, globalThis.location?.href);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}
