import { SAFETENSORS } from '../../src/input/formats/checkpoint.ts';
import { neededFiles } from '../../src/input/hub/model-files.ts';
import { UserError } from '../../src/support/user-error.ts';
import { type ChosenFile, MAX_BYTES, unzip } from '../data/read-chosen.ts';

/** The files of a model that a run needs, by their paths in the model's folder, and the folder's name. */
interface PickedFiles {
  name: string;
  files: Record<string, Blob>;
}

/** The file that tells where a model's folder begins. */
const CONFIG = 'config.json';

/**
 * Picks a model's files among chosen ones: those of its folder, or of a zip archive of it.
 *
 * @throws UserError for files without a config.json or weights in safetensors, and for a damaged archive
 */
export async function pickModelFiles(chosen: readonly ChosenFile[]): Promise<PickedFiles> {
  const [first] = chosen;
  const isZip = chosen.length === 1 && /\.zip$/i.test(first!.path);
  const all = isZip ? await unzip(first!.file, first!.path, () => isOfModel, MAX_BYTES) : chosen;
  // A folder below it may have a config.json, too.
  const byDepth = [...all].sort((a, b) => depth(a) - depth(b));
  const config = byDepth.find(({ path }) => path.split('/').at(-1) === CONFIG);
  const { path: top = '' } = config ?? byDepth[0] ?? {};
  const root = top.slice(0, top.lastIndexOf('/') + 1);
  const below = all.filter(({ path }) => path.startsWith(root));
  const files = new Map(below.map(({ path, file }): [string, Blob] => [path.slice(root.length), file]));
  const name = root.split('/').at(-2) ?? (isZip ? first!.path.replace(/\.zip$/i, '') : 'the chosen files');
  // For files without a config.json, `findPageMedium` has the error.
  const needed = neededFiles([...files.keys()]) ?? [...files.keys()];
  const weights = [SAFETENSORS.single, SAFETENSORS.index];
  if (config && !weights.some((file) => files.has(file)))
    throw new UserError({
      where: name,
      fault: `has no ${SAFETENSORS.single}`,
      hint: 'Download it from the Hub. A page does not read weights in other formats.',
    });
  return { name, files: Object.fromEntries(needed.map((path) => [path, files.get(path)!])) };
}

function isOfModel(path: string): boolean {
  return /\.(json|safetensors|txt|model|jinja)$/.test(path) && !path.startsWith('__MACOSX/');
}

function depth({ path }: ChosenFile): number {
  return path.split('/').length;
}
