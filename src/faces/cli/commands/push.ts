import { Command, Option } from 'commander';
import { sharedOption } from '../flags.ts';
import type { PushOptions } from '../push-model.ts';

interface Flags {
  license: string;
  as?: PushOptions['form'];
  public?: boolean;
  dryRun?: boolean;
  parent?: string;
  model?: string;
  json?: boolean;
}

export function pushCommand(): Command {
  return new Command('push')
    .description('Upload an adapter or a model to the Hugging Face Hub, without data and checkpoints.')
    .argument('<run, adapter or model>', 'folder of a run, an adapter or a model')
    .argument('<repository>', 'repository on the Hub: OWNER/NAME; created if missing')
    .requiredOption(
      '--license <id>',
      "licence of the result, such as apache-2.0; the base model's may require one",
    )
    .addOption(
      new Option(
        '--as <form>',
        'merged: the whole model with the adapter merged; onnx: the merged model, for transformers.js (default: the adapter)',
      ).choices(['merged', 'onnx']),
    )
    .option('--public', 'make a new repository public (default: private)')
    .addOption(sharedOption('dryRun'))
    .option('--parent <commit>', 'commit to build on, if the last one is not from push')
    .addOption(sharedOption('model'))
    .addOption(sharedOption('json'))
    .action(run);
}

async function run(path: string, repo: string, flags: Flags): Promise<void> {
  const { push } = await import('../push-model.ts');
  const { openingDisplay } = await import('../terminal/download-display.ts');
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
