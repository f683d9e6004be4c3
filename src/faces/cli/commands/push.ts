import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { ADAPTER_CONFIG, ADAPTER_FILES } from '../../../input/formats/adapters/adapter-files.ts';
import { editJson } from '../../../input/formats/bounded-json.ts';
import { type FolderFiles, readJsonFile, readText } from '../../../input/formats/files.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import type { Hub } from '../../../input/hub/hub.ts';
import { EMBEDDED_MODEL, parseModelId } from '../../../input/hub/model-id.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import type { ResolveOptions } from '../../../input/hub/repository.ts';
import { type UploadOptions, uploadFiles } from '../../../input/hub/upload.ts';
import { inScratchFolder } from '../../../input/store/node/temporary-name.ts';
import { type HubCard, hubCard } from '../../../studies/report/hub-card.ts';
import { UserError } from '../../../support/user-error.ts';
import { EXPORT_FORMS } from '../../../use/trained/export-forms.ts';
import { SHARED_FILES } from '../../../use/trained/full-model.ts';
import { LAYER_FILE } from '../../../use/trained/layer-file.ts';
import { locateTrained } from '../../../use/trained/locate-trained.ts';
import type { OpenTunedOptions } from '../../../use/trained/model-folders.ts';
import { models } from '../../../use/trained/node/load-model.ts';
import { NOTES_FILE } from '../../../use/trained/notes.ts';
import { CONFIG } from '../../../use/trained/read-model.ts';
import { SENTENCE_FILES } from '../../../use/trained/sentence-files.ts';
import { writeForm } from '../../../use/trained/write-form.ts';
import { openingDisplay } from '../terminal/download-display.ts';

interface Flags {
  license: string;
  as?: PushOptions['form'];
  public?: boolean;
  dryRun?: boolean;
  parent?: string;
  model?: string;
  json?: boolean;
}

export default async function run(path: string, repo: string, flags: Flags): Promise<void> {
  const { as: form, dryRun: isDry, json, license, parent, model } = flags;
  const { files, url, commit } = await push(path, repo, {
    ...openingDisplay(),
    license,
    form,
    parent,
    model,
    isDry,
    isPublic: flags.public ?? false,
    onUpload: uploadDisplay(),
  });
  if (json) return console.log(JSON.stringify({ files, url, commit }));
  for (const [name, bytes] of Object.entries(files)) console.log(`${name} (${bytes} bytes)`);
  console.log(url === undefined ? 'Nothing was uploaded.' : `${url} (${commit})`);
}

/** A line for each file when it starts and when it is done. */
function uploadDisplay(): NonNullable<PushOptions['onUpload']> {
  const shown = new Set<string>();
  return ({ file, state, share }) => {
    const line = share >= 1 && state === 'uploading' ? `sent ${file}` : `${state} ${file}`;
    if (!shown.has(line)) console.error(line);
    shown.add(line);
  };
}

interface PushOptions extends SendOptions, Pick<OpenTunedOptions, 'onProgress' | 'onNotice'> {
  /** Which form of the model is sent. Default: the result of the run as it is. */
  form?: string | undefined;
}

/**
 * Sends the result of a run, an adapter or a model to a repository of the Hub. Data, checkpoints and other files of the
 * run's folder stay.
 *
 * @param repo `owner/name`
 * @throws UserError like {@link sendFolder}
 */
async function push(path: string, repo: string, options: PushOptions): Promise<Pushed> {
  assertRepository(repo);
  const located = await locateTrained(hub, path);
  const send = (folder: string, form: HubCard['form'], runModel = located.runModel) =>
    sendFolder(hub, { folder: folderFiles(folder), form, runModel, path, repo }, options, pathToFileURL);
  const { form } = options;
  if (form === undefined) return send(located.folder, located.kind);
  const { make } = await EXPORT_FORMS[form]!.load();
  return inScratchFolder(tmpdir(), 'push', async (scratch) => {
    const { model, onProgress, onNotice } = options;
    const opened = await models.openTuned(path, { model, onProgress, onNotice });
    try {
      writeForm(hub.disk, opened, make(opened, {}), scratch);
    } finally {
      opened.model.close();
    }
    const base = located.runModel ?? opened.adapter?.stored.baseModel ?? undefined;
    return send(scratch, form === 'onnx' ? form : 'model', base);
  });
}

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

interface SendOptions extends UploadOptions, HubAddress {
  license: string;
  /** The base model, if it is not where the adapter says: a Hub id, or for another form a folder. */
  model?: string | undefined;
  /** Whether to only list the files. */
  isDry?: boolean | undefined;
}

interface Pushed {
  /** Bytes of each file, by its path in the repository. */
  files: Record<string, number>;
  /** Set if the files were sent. */
  url?: string;
  commit?: string;
}

/** A folder to send. */
interface Sent {
  folder: FolderFiles;
  form: HubCard['form'];
  /** The base model, for a whole model that was merged. */
  runModel: string | undefined;
  /** The path that the user named, whose card is sent. */
  path: string;
  /** The name of the repository: `owner/name`. */
  repo: string;
}

/** Throws a UserError for a name that is not `owner/name`. */
function assertRepository(repo: string): void {
  if (/^[^/@]+\/[^/@]+$/.test(repo) && parseModelId(repo)) return;
  throw new UserError({ where: repo, fault: 'is not the name of a repository; it should be OWNER/NAME' });
}

/**
 * Sends a folder to a repository of the Hub, with a card.
 *
 * @param urlOf returns the URL of a file
 * @throws UserError for an adapter whose base is not on the Hub, and like `uploadFiles`
 */
async function sendFolder(
  hub: Hub,
  { folder, form, runModel, path, repo }: Sent,
  options: SendOptions,
  urlOf: (path: string) => URL,
): Promise<Pushed> {
  const { license, isDry, isPublic, parent, onUpload } = options;
  const files = new Map<string, Blob | URL>();
  const sizes: Pushed['files'] = {};
  const put = (name: string, content: Blob) => {
    files.set(name, content);
    sizes[name] = content.size;
  };
  for (const [name, size] of listFiles(folder)) {
    files.set(name, urlOf(folder.path(name)));
    sizes[name] = size;
  }
  const named = form === 'adapter' ? await baseInConfig(folder) : runModel;
  const isThere = (name: string) => hub.disk.has(name);
  const base = hubId(options.model, isThere) ?? hubId(named, isThere);
  if (form === 'adapter') put(ADAPTER_CONFIG, withBase(folder, base ?? embedded(named), named));
  const run = hub.disk.within(path);
  const card = run.has(CARD) ? readText(run, CARD, 'a model card') : undefined;
  const isDataPublic = isDry === true || (await arePublic(card, hub.access(options).endpoint));
  const text = hubCard(card, { repo, form, license, base, isDataPublic }, run.path(CARD));
  put(CARD, new Blob([text]));
  if (isDry) return { files: sizes };
  const sent = await uploadFiles(repo, files, { isPublic, parent, onUpload }, hub.uploadAccess(options));
  return { files: sizes, ...sent };
}

/** Files on the list with their sizes, without links, which may lead anywhere. */
function listFiles(folder: FolderFiles): [name: string, size: number][] {
  const names = folder.listAll().filter((name) => SENT.includes(name) || WEIGHTS.test(name));
  return names.sort().flatMap((name): [string, number][] => {
    const { kind, isLink, size = 0 } = folder.stat(name) ?? {};
    return kind === 'file' && !isLink ? [[name, size]] : [];
  });
}

async function baseInConfig(folder: FolderFiles): Promise<string | undefined> {
  const { base_model_name_or_path: base } = Object(await readJsonFile(folder, ADAPTER_CONFIG));
  return typeof base === 'string' ? base : undefined;
}

/** A name that is a model on the Hub, and no folder here. */
function hubId(name: string | undefined, isThere: (name: string) => boolean): string | undefined {
  if (name === undefined || name === EMBEDDED_MODEL || isThere(name)) return undefined;
  return parseModelId(name)?.name;
}

function embedded(name: string | undefined): string | undefined {
  return name === EMBEDDED_MODEL ? name : undefined;
}

/** The adapter's settings with the base model's id, because others do not have its folder. */
function withBase(folder: FolderFiles, base: string | undefined, named: string | undefined): Blob {
  if (base === undefined) {
    throw new UserError({
      where: folder.name,
      fault: `names its base model by a folder${named === undefined ? '' : ` (${named})`}, which others do not have`,
      hint: 'Pass its Hub id with --model, or push the whole model with --as merged.',
    });
  }
  const text = readText(folder, ADAPTER_CONFIG, 'an adapter');
  return new Blob([`${editJson(text, (config) => ({ ...config, base_model_name_or_path: base }))}\n`]);
}

/** Whether anybody can read the datasets that a card names. */
async function arePublic(card: string | undefined, endpoint: string): Promise<boolean> {
  const [, front = ''] = /^---\n([\s\S]*?)\n---\n/.exec(card ?? '') ?? [];
  const [, list = ''] = /^datasets:\n((?: +- .+\n?)+)/m.exec(front) ?? [];
  const names = [...list.matchAll(/- (.+)/g)].map(([, name]) => name!.trim());
  for (const name of names) {
    const response = await fetch(`${endpoint}/api/datasets/${name}`, {
      signal: AbortSignal.timeout(30_000),
    }).catch(() => undefined);
    await response?.body?.cancel();
    if (!response?.ok) return false;
  }
  return true;
}
