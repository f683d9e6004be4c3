import { readAdapterIn } from '../../../input/formats/adapters/read-stored-adapter.ts';
import { GGUF_DTYPES } from '../../../input/formats/encode-gguf.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import { findKind } from '../../../methods/tuners/registry.ts';
import { acceptOne } from '../../../support/options.ts';
import { UserError } from '../../../support/user-error.ts';
import { onnxDtypes } from '../../../use/optimum/onnx-dtypes.ts';
import { locateAdapter } from '../../../use/trained/locate-trained.ts';
import { MERGED_DTYPES, mergedForm } from '../../../use/trained/merged-form.ts';
import { models } from '../../../use/trained/node/load-model.ts';
import type { OpenedTuned } from '../../../use/trained/trained-parts.ts';
import { writeForm } from '../../../use/trained/write-form.ts';
import { adapterForm, ggufForm, onnxForm, type WrittenForm } from '../../../use/trained/written-form.ts';
import { openingDisplay } from '../terminal/download-display.ts';

interface Flags {
  as: string;
  output: string;
  dtype?: string;
  model?: string;
  json?: boolean;
  checkpoint?: number;
}

/** Makes a form of an opened model. */
type FormOf = (opened: OpenedTuned) => WrittenForm;

/** The forms that need the base model: what is written, and how it is made for a value of `--dtype`. */
const OPENED_FORMS: Readonly<
  Record<string, { what: string; maker(dtype: string | undefined): Promise<FormOf> }>
> = {
  merged: { what: 'model', maker: mergedMaker },
  onnx: { what: 'model', maker: onnxMaker },
  gguf: { what: 'adapter', maker: ggufMaker },
};

export default async function run(path: string, flags: Flags): Promise<void> {
  const { as: name, output, dtype, model, json } = flags;
  const form = OPENED_FORMS[name];
  for (const key of form ? [] : (['dtype', 'model'] as const)) {
    if (flags[key] === undefined) continue;
    const fault = `requires --as ${Object.keys(OPENED_FORMS).join(' or ')}, got --as ${name}`;
    throw new UserError({ key: `--${key}`, fault });
  }
  if (form) await writeOpened(path, { model, output, formOf: await form.maker(dtype) });
  else await writeAdapter(path, flags);
  console.log(json ? JSON.stringify({ output }) : `The ${form?.what ?? 'adapter'} is in ${output}`);
}

/** Writes a form that needs the base model. */
async function writeOpened(
  path: string,
  { model, output, formOf }: { model?: string; output: string; formOf: FormOf },
): Promise<void> {
  const opened = await models.openTuned(path, { model, ...openingDisplay() });
  try {
    writeForm(models.machine.disk, opened, formOf(opened), output);
  } finally {
    opened.model.close();
  }
}

async function mergedMaker(name: string | undefined): Promise<FormOf> {
  const dtype = dtypeNamed(name, MERGED_DTYPES);
  return (opened) => mergedForm(opened, { dtype });
}

async function onnxMaker(names = 'fp32'): Promise<FormOf> {
  const dtypes = onnxDtypes(
    names.split(',').map((name) => name.trim()),
    '--dtype',
  );
  return (opened) => onnxForm(opened, { dtypes });
}

async function ggufMaker(name: string | undefined): Promise<FormOf> {
  const dtype = dtypeNamed(name, GGUF_DTYPES);
  return (opened) => ggufForm(opened, { dtype });
}

/** @throws UserError for a type that the form does not have */
function dtypeNamed<T extends string>(name: string | undefined, known: readonly T[]): T | undefined {
  const { holds, is } = acceptOne(...known);
  if (name === undefined || holds(name)) return name as T | undefined;
  throw new UserError({ key: '--dtype', expected: is, got: `"${name}"` });
}

async function writeAdapter(path: string, { as: form, output }: Flags): Promise<void> {
  const { folder } = await locateAdapter(hub, path);
  const stored = await readAdapterIn(hub.disk, folder);
  const adapter = { stored, kind: findKind(stored, folder) };
  writeForm(hub.disk, { folder }, adapterForm({ folder, adapter }, form), output);
}
