import { cachedModels, findSnapshot, hubCacheFolder } from '../../../input/hub/node/cache.ts';
import { VISION_MODELS } from '../../../program/modalities/picture-files.ts';
import { PROGRAM } from '../../../support/program.ts';
import { UserError } from '../../../support/user-error.ts';
import { describeFolder } from '../../../use/trained/node/load-model.ts';
import { shellQuoted } from '../shell-quoted.ts';

/** The error for pictures without a model: names models with their cost, and those that need no download. */
export async function needsVisionModel(path: string): Promise<UserError> {
  const command = (model: string) => `  ${shellQuoted([PROGRAM, 'train', path, '--model', model])}`;
  const lines = VISION_MODELS.map(
    ({ name, parameters, megabytes, seconds }) =>
      `${command(name)}\n    ${parameters} million parameters, ${megabytes} MB to download, about ${seconds} s per picture and epoch on two cores`,
  );
  const cached = await cachedVisionModels();
  const offline =
    cached.length === 0 ? '' : `\nWithout a download, from the cache:\n${cached.map(command).join('\n')}`;
  return new UserError({
    where: path,
    fault: 'has pictures, which the built-in model does not read',
    hint: `Name a vision transformer:\n${lines.join('\n')}${offline}`,
  });
}

/** Models of pictures in the cache of the Hub that are complete. */
async function cachedVisionModels(): Promise<string[]> {
  const cache = hubCacheFolder();
  const found: string[] = [];
  for (const name of cachedModels(cache)) {
    const snapshot = findSnapshot(cache, { name, revision: 'main' });
    if (!snapshot?.inputs) continue;
    // The cache has models of any kind, also damaged ones.
    const described = await describeFolder(snapshot.folder).catch(() => undefined);
    if (described?.family.config.picture) found.push(name);
  }
  return found;
}
