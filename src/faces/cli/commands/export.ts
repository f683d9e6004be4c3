import { readAdapterIn } from '../../../input/formats/adapters/read-stored-adapter.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import { findKind } from '../../../methods/tuners/registry.ts';
import { sumAdapters } from '../../../methods/tuners/sum-adapters.ts';
import { UserError } from '../../../support/user-error.ts';
import { EXPORT_FORMS, type WrittenForm } from '../../../use/trained/export-forms.ts';
import { locateAdapter } from '../../../use/trained/locate-trained.ts';
import { models } from '../../../use/trained/node/load-model.ts';
import type { OpenedTuned } from '../../../use/trained/trained-parts.ts';
import { adapterForm, writeForm } from '../../../use/trained/write-form.ts';
import { openingDisplay } from '../terminal/download-display.ts';

interface Flags {
  as: string;
  output: string;
  dtype?: string;
  model?: string;
  json?: boolean;
  checkpoint?: number;
  with?: readonly string[];
  weight?: number;
  rank?: number;
}

export default async function run(path: string, flags: Flags): Promise<void> {
  const { as: name, output, dtype, json } = flags;
  const form = EXPORT_FORMS[name];
  for (const key of form ? [] : (['dtype', 'model'] as const)) {
    if (flags[key] === undefined) continue;
    const fault = `requires --as ${Object.keys(EXPORT_FORMS).join(' or ')}, got --as ${name}`;
    throw new UserError({ key: `--${key}`, fault });
  }
  const lone = (['weight', 'rank'] as const).find((key) => flags[key] !== undefined && !flags.with?.length);
  if (lone) throw new UserError({ key: `--${lone}`, fault: 'requires --with' });
  if (form && flags.with?.length)
    throw new UserError({ key: '--with', fault: `requires --as lora, got --as ${name}` });
  if (!form) await writeAdapter(path, flags);
  else {
    const { make, readDtype } = await form.load();
    const options = dtype === undefined ? {} : readDtype(dtype);
    await writeOpened(path, flags, (opened) => make(opened, options));
  }
  console.log(json ? JSON.stringify({ output }) : `The ${form?.writes ?? 'adapter'} is in ${output}`);
}

/** Writes a form that needs the base model. */
async function writeOpened(
  path: string,
  { model, output }: Flags,
  formOf: (opened: OpenedTuned) => WrittenForm,
): Promise<void> {
  const opened = await models.openTuned(path, { model, ...openingDisplay() });
  try {
    writeForm(models.machine.disk, opened, formOf(opened), output);
  } finally {
    opened.model.close();
  }
}

async function readAdapter(path: string) {
  const { folder } = await locateAdapter(hub, path);
  return { folder, stored: await readAdapterIn(hub.disk, folder) };
}

async function writeAdapter(path: string, flags: Flags): Promise<void> {
  const { as: form, output, with: others = [], weight = 1, rank } = flags;
  const { folder, stored: own } = await readAdapter(path);
  const more = others.map(async (text) => {
    const [, name = '', factor = ''] = /^(.+)=(-?[\d.]+)$/.exec(text) ?? [];
    if (name === '')
      throw new UserError({
        key: '--with',
        expected: 'an adapter and its weight, as in runs/b=0.5',
        got: `"${text}"`,
      });
    return { stored: (await readAdapter(name)).stored, weight: Number(factor), where: name };
  });
  const stored =
    more.length === 0
      ? own
      : sumAdapters([{ stored: own, weight, where: path }, ...(await Promise.all(more))], rank);
  const adapter = { stored, kind: findKind(stored, folder) };
  writeForm(hub.disk, { folder }, adapterForm({ folder, adapter }, form), output);
}
