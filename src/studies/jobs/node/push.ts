import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ADAPTER_CONFIG, ADAPTER_FILES } from '../../../input/formats/adapters/adapter-files.ts';
import { editJson } from '../../../input/formats/bounded-json.ts';
import { EMBEDDED_MODEL, parseModelId } from '../../../input/hub/model-id.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import type { ResolveOptions } from '../../../input/hub/repository.ts';
import { type UploadOptions, uploadFiles } from '../../../input/hub/upload.ts';
import { inScratchFolder } from '../../../input/store/node/temporary-name.ts';
import { UserError } from '../../../support/user-error.ts';
import { SHARED_FILES } from '../../../use/trained/full-model.ts';
import { LAYER_FILE } from '../../../use/trained/layer-file.ts';
import { mergedForm } from '../../../use/trained/merged-form.ts';
import { locateTrained } from '../../../use/trained/node/locate-trained.ts';
import { type OpenTunedOptions, openTuned } from '../../../use/trained/node/open-tuned.ts';
import { writeForm } from '../../../use/trained/node/write-form.ts';
import { NOTES_FILE } from '../../../use/trained/notes.ts';
import { CONFIG } from '../../../use/trained/read-model.ts';
import { SENTENCE_FILES } from '../../../use/trained/sentence-files.ts';
import { onnxForm } from '../../../use/trained/written-form.ts';
import { type HubCard, hubCard } from '../../report/hub-card.ts';

const CARD = 'README.md';

/** The only files of a folder that go to the Hub. Data, checkpoints and logs have other names. */
const SENT: readonly string[] = [
  ...ADAPTER_FILES,
  CONFIG,
  NOTES_FILE,
  LAYER_FILE,
  ...Object.values(SENTENCE_FILES),
  ...SHARED_FILES,
];
/** Weights of a whole model, and the ONNX files that we write. */
const WEIGHTS = /^(model[\w.-]*\.safetensors(\.index\.json)?|onnx\/[\w.-]+\.onnx(_data[\w.-]*)?)$/;

/** The Hub to send to, if it is not that of the environment. */
type HubAddress = Pick<ResolveOptions, 'endpoint' | 'token'>;

export interface PushOptions
  extends UploadOptions,
    HubAddress,
    Pick<OpenTunedOptions, 'onProgress' | 'onNotice'> {
  license: string;
  /** Which form of the model is sent. Default: the result of the run as it is. */
  form?: 'merged' | 'onnx' | undefined;
  /** The base model, if it is not where the adapter says: a Hub id, or for another form a folder. */
  model?: string | undefined;
  /** Whether to only list the files. */
  isDry?: boolean | undefined;
}

export interface Pushed {
  /** Bytes of each file, by its path in the repository. */
  files: Record<string, number>;
  /** Set if the files were sent. */
  url?: string;
  commit?: string;
}

/**
 * Sends the result of a run, an adapter or a model to a repository of the Hub. Data, checkpoints and other files of the
 * run's folder stay.
 *
 * @param repo `owner/name`
 * @throws UserError for an adapter whose base is not on the Hub, and like `uploadFiles`
 */
export async function push(path: string, repo: string, options: PushOptions): Promise<Pushed> {
  if (!/^[^/@]+\/[^/@]+$/.test(repo) || !parseModelId(repo))
    throw new UserError({ where: repo, fault: 'is not the name of a repository; it should be OWNER/NAME' });
  const { folder, kind, runModel } = await locateTrained(path);
  const { form } = options;
  if (form === undefined) return send(folder, kind, { path, repo, runModel }, options);
  return inScratchFolder(tmpdir(), 'push', async (scratch) => {
    const { model, onProgress, onNotice } = options;
    const opened = await openTuned(path, { model, onProgress, onNotice });
    try {
      writeForm(opened, form === 'merged' ? mergedForm(opened) : onnxForm(opened), scratch);
    } finally {
      opened.model.close();
    }
    const base = runModel ?? opened.adapter?.stored.baseModel ?? undefined;
    return send(scratch, form === 'onnx' ? form : 'model', { path, repo, runModel: base }, options);
  });
}

async function send(
  folder: string,
  form: HubCard['form'],
  { path, repo, runModel }: { path: string; repo: string; runModel: string | undefined },
  options: PushOptions,
): Promise<Pushed> {
  const { license, isDry, onUpload } = options;
  const files = new Map<string, Blob | URL>();
  for (const name of listFiles(folder)) files.set(name, pathToFileURL(join(folder, name)));
  const named = form === 'adapter' ? baseInConfig(folder) : runModel;
  const base = hubId(options.model) ?? hubId(named);
  if (form === 'adapter') files.set(ADAPTER_CONFIG, withBase(folder, base ?? embedded(named), named));
  const card = readCard(path);
  const isDataPublic = isDry === true || (await arePublic(card, options));
  const text = hubCard(card, { repo, form, license, base, isDataPublic }, join(path, CARD));
  files.set(CARD, new Blob([text]));
  const sizes = Object.fromEntries(
    [...files].map(([name, content]) => [
      name,
      content instanceof URL ? lstatSync(content).size : content.size,
    ]),
  );
  if (isDry) return { files: sizes };
  const { isPublic, parent } = options;
  const access = hub.uploadAccess(options);
  return { files: sizes, ...(await uploadFiles(repo, files, { isPublic, parent, onUpload }, access)) };
}

/** Files on the list, without links, which may lead anywhere. */
function listFiles(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) =>
    name.replaceAll('\\', '/'),
  );
  return names
    .filter((name) => SENT.includes(name) || WEIGHTS.test(name))
    .filter((name) => lstatSync(join(folder, name)).isFile())
    .sort();
}

function baseInConfig(folder: string): string | undefined {
  const { base_model_name_or_path: base } = JSON.parse(readFileSync(join(folder, ADAPTER_CONFIG), 'utf8'));
  return typeof base === 'string' ? base : undefined;
}

/** A name that is a model on the Hub, and no folder here. */
function hubId(name: string | undefined): string | undefined {
  if (name === undefined || name === EMBEDDED_MODEL || existsSync(name)) return undefined;
  return parseModelId(name)?.name;
}

function embedded(name: string | undefined): string | undefined {
  return name === EMBEDDED_MODEL ? name : undefined;
}

/** The adapter's settings with the base model's id, because others do not have its folder. */
function withBase(folder: string, base: string | undefined, named: string | undefined): Blob {
  if (base === undefined) {
    throw new UserError({
      where: folder,
      fault: `names its base model by a folder${named === undefined ? '' : ` (${named})`}, which others do not have`,
      hint: 'Pass its Hub id with --model, or push the whole model with --as merged.',
    });
  }
  const text = readFileSync(join(folder, ADAPTER_CONFIG), 'utf8');
  return new Blob([`${editJson(text, (config) => ({ ...config, base_model_name_or_path: base }))}\n`]);
}

function readCard(path: string): string | undefined {
  const place = join(path, CARD);
  return existsSync(place) ? readFileSync(place, 'utf8') : undefined;
}

/** Whether anybody can read the datasets that a card names. */
async function arePublic(card: string | undefined, options: HubAddress): Promise<boolean> {
  const { endpoint } = hub.access(options);
  const [, front = ''] = /^---\n([\s\S]*?)\n---\n/.exec(card ?? '') ?? [];
  const [, list = ''] = /^datasets:\n((?: +- .+\n?)+)/m.exec(front) ?? [];
  const names = [...list.matchAll(/- (.+)/g)].map(([, name]) => name!.trim());
  for (const name of names) {
    const response = await fetch(`${endpoint}/api/datasets/${name}`).catch(() => undefined);
    await response?.body?.cancel();
    if (!response?.ok) return false;
  }
  return true;
}
