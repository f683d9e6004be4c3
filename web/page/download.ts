import '../worker/without-eval.ts';

import { z } from 'zod';
import { findPageMedium } from '../../src/faces/web/page-options.ts';
import { asFiles } from '../../src/input/formats/files.ts';
import { neededFiles } from '../../src/input/hub/model-files.ts';
import { parseModelId } from '../../src/input/hub/model-id.ts';
import { markup } from '../../src/studies/report/markup.ts';
import { Sha256 } from '../../src/support/sha256.ts';
import { UserError } from '../../src/support/user-error.ts';
import { MEDIUM_NOUNS, type Medium } from '../data/row-files.ts';
import { forgetModel, type KeptModel, keepModel, keptModels } from '../worker/kept-models.ts';
import { openPrivateFiles } from '../worker/run-store.ts';
import { element } from './element.ts';
import { fileSize, MODELS_CHANNEL } from './goal-words.ts';

/*
 * The tab that downloads models from the Hub. It is the only one whose content security policy allows a connection to the
 * Hub. It does not open the user's rows, and only reads there.
 */

const HUB = 'https://huggingface.co';

/** The Hub's description of a model with its files. */
const repositorySchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(
    z.object({ rfilename: z.string(), size: z.number(), lfs: z.object({ sha256: z.string() }).nullish() }),
  ),
});

interface FoundModel extends KeptModel {
  /** The address of its files. */
  address: string;
  /** The files that a run needs. Only large ones have a SHA-256. */
  files: Map<string, { bytes: number; sha256: string | undefined }>;
  /** The content of the small ones. */
  small: Map<string, Uint8Array>;
}

const [name, look] = [element('name', HTMLInputElement), element('look', HTMLFormElement)];
const [found, problem, list] = ['found', 'problem', 'kept'].map((id) => element(id, HTMLElement)) as [
  HTMLElement,
  HTMLElement,
  HTMLElement,
];
const [start, progress] = [element('download', HTMLButtonElement), element('progress', HTMLProgressElement)];
const channel = new BroadcastChannel(MODELS_CHANNEL);
let model: FoundModel | undefined;

/** Finds a model on the Hub, and checks all of it but its weights. */
async function findModel(text: string): Promise<FoundModel> {
  const id = parseModelId(text);
  if (!id)
    throw new UserError({ where: text, fault: 'is not the name of a model on the Hub, such as owner/name' });
  const answer = await ask(
    `${HUB}/api/models/${id.name}/revision/${encodeURIComponent(id.revision)}?blobs=true`,
  );
  const { sha, siblings } = repositorySchema.parse(await answer.json());
  const address = `${HUB}/${id.name}/resolve/${sha}/`;
  const entries = new Map(
    siblings.map(({ rfilename, size, lfs }) => [rfilename, { bytes: size, sha256: lfs?.sha256 }] as const),
  );
  const paths = neededFiles([...entries.keys()]);
  if (!paths?.some((path) => path.endsWith('.safetensors')))
    throw new UserError({ where: text, fault: 'has no model.safetensors, which a page reads' });
  const files = new Map(paths.map((path) => [path, entries.get(path)!]));
  const small = new Map<string, Uint8Array>();
  for (const path of paths.filter((path) => !path.endsWith('.safetensors')))
    small.set(path, new Uint8Array(await (await ask(address + path)).arrayBuffer()));
  const medium = (await findPageMedium(asFiles(small, text))) as Medium;
  const bytes = [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  return { name: text, medium, bytes, address, files, small };
}

async function ask(address: string): Promise<Response> {
  const response = await fetch(address);
  if (response.ok) return response;
  const hint =
    response.status === 401 || response.status === 404
      ? 'Check the spelling. For a private model, start the page with it: npx adalora web --model OWNER/NAME'
      : 'Try again later.';
  const fault = `could not be fetched (status ${response.status})`;
  throw new UserError({ where: address.replace(/\?.*/, ''), fault, hint });
}

/** Downloads a model, and checks the size and the hash of its files. */
async function download({ name, medium, bytes, address, files, small }: FoundModel): Promise<void> {
  let received = 0;
  const about = { name, medium, bytes };
  await keepModel(about, files.keys(), async (path, file) => {
    const expected = files.get(path)!;
    const hash = new Sha256();
    let size = 0;
    const write = async (part: Uint8Array) => {
      hash.update(part);
      size += part.length;
      received += part.length;
      progress.value = received / bytes;
      await file.write(part as Uint8Array<ArrayBuffer>);
    };
    const known = small.get(path);
    if (known) await write(known);
    else {
      // A reader is used because not every browser can iterate over a stream.
      const reader = (await ask(address + path)).body!.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) await write(next.value);
    }
    if (size === expected.bytes && [undefined, hash.digest('hex')].includes(expected.sha256)) return;
    throw new UserError({
      where: `${name}: ${path}`,
      fault: 'was damaged on the way: its size or hash is not that on the Hub',
      hint: 'Download it again.',
    });
  });
}

/** Does something that takes long, and shows its error. */
async function during(work: () => Promise<void>): Promise<void> {
  problem.textContent = '';
  for (const button of document.querySelectorAll('button')) button.disabled = true;
  try {
    await work();
  } catch (error) {
    problem.textContent = (error as Error).message;
  }
  for (const button of document.querySelectorAll('button')) button.disabled = false;
}

async function showKept(): Promise<void> {
  const models = await keptModels();
  element('kept-title', HTMLElement).hidden = models.length === 0;
  list.innerHTML = markup`${models.map(
    ({ name, bytes }) =>
      markup`<li>${name} (${fileSize(bytes)}) <button type="button" value="${name}">Delete</button></li>`,
  )}`.text;
}

look.addEventListener('submit', (event) => {
  event.preventDefault();
  start.hidden = true;
  found.textContent = 'Asking the Hub.';
  void during(async () => {
    model = undefined;
    try {
      model = await findModel(name.value.trim());
    } finally {
      found.textContent = '';
    }
    found.textContent = `${model.name} reads ${MEDIUM_NOUNS[model.medium]}. Its ${model.files.size} files have ${fileSize(model.bytes)}.`;
    start.textContent = `Download ${fileSize(model.bytes)}`;
    start.hidden = false;
  });
});
start.addEventListener('click', () => {
  const wanted = model!;
  progress.hidden = false;
  void during(async () => {
    try {
      await download(wanted);
    } finally {
      progress.hidden = true;
    }
    start.hidden = true;
    found.textContent = `${wanted.name} is kept in this browser. Close this tab, and choose it as the model to train.`;
    channel.postMessage(wanted.name);
    await showKept();
  });
});
list.addEventListener('click', ({ target }) => {
  if (!(target instanceof HTMLButtonElement)) return;
  const { value } = target;
  void during(async () => {
    await forgetModel(value);
    channel.postMessage('');
    await showKept();
  });
});
if (!(await openPrivateFiles()))
  problem.textContent =
    'This browser has no private files for a model. Choose the model’s files in the other tab.';
await showKept();
