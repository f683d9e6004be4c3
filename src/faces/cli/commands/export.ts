import { readAdapterIn } from '../../../input/formats/adapters/read-stored-adapter.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import { findKind } from '../../../methods/tuners/registry.ts';
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
}

export default async function run(path: string, flags: Flags): Promise<void> {
  const { as: name, output, dtype, json } = flags;
  const form = EXPORT_FORMS[name];
  for (const key of form ? [] : (['dtype', 'model'] as const)) {
    if (flags[key] === undefined) continue;
    const fault = `requires --as ${Object.keys(EXPORT_FORMS).join(' or ')}, got --as ${name}`;
    throw new UserError({ key: `--${key}`, fault });
  }
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

async function writeAdapter(path: string, { as: form, output }: Flags): Promise<void> {
  const { folder } = await locateAdapter(hub, path);
  const stored = await readAdapterIn(hub.disk, folder);
  const adapter = { stored, kind: findKind(stored, folder) };
  writeForm(hub.disk, { folder }, adapterForm({ folder, adapter }, form), output);
}
