import { type PushOptions, push } from '../push-model.ts';
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
