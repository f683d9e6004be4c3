import { Command } from 'commander';
import { acceptOne } from '../../../support/options.ts';
import { UserError } from '../../../support/user-error.ts';
import type { OpenedTuned } from '../../../use/trained/trained-parts.ts';
import type { WrittenForm } from '../../../use/trained/written-form.ts';
import { sharedOption } from '../flags.ts';

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

export function exportCommand(): Command {
  return new Command('export')
    .description(
      'Merge an adapter into its base model, or convert a model or an adapter to ONNX, GGUF or plain LoRA.',
    )
    .argument(
      '<run, adapter or model>',
      'folder of a run, an adapter (PEFT or AdapterHub) or a model, or its Hub id',
    )
    .requiredOption(
      '--as <form>',
      'merged: the whole model; onnx: the whole model for transformers.js and Optimum; gguf: an adapter for llama.cpp and Ollama; lora: an equivalent LoRA adapter',
    )
    .requiredOption('-o, --output <folder>', 'output folder, new or empty')
    .option(
      '--dtype <types>',
      'type of the weights (merged: float32, float16, bfloat16, default: that of the base model; onnx: fp32, fp16, q8, q4, or several as in fp32,q8; gguf: f32, f16, q8_0)',
    )
    .addOption(sharedOption('model'))
    .addOption(sharedOption('checkpoint'))
    .addOption(sharedOption('json'))
    .action(run);
}

async function run(path: string, flags: Flags): Promise<void> {
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
  const { models } = await import('../../../use/trained/node/load-model.ts');
  const { writeForm } = await import('../../../use/trained/write-form.ts');
  const { openingDisplay } = await import('../terminal/download-display.ts');
  const opened = await models.openTuned(path, { model, ...openingDisplay() });
  try {
    writeForm(models.machine.disk, opened, formOf(opened), output);
  } finally {
    opened.model.close();
  }
}

async function mergedMaker(name: string | undefined): Promise<FormOf> {
  const { MERGED_DTYPES, mergedForm } = await import('../../../use/trained/merged-form.ts');
  const dtype = dtypeNamed(name, MERGED_DTYPES);
  return (opened) => mergedForm(opened, { dtype });
}

async function onnxMaker(names = 'fp32'): Promise<FormOf> {
  const { onnxDtypes } = await import('../../../use/optimum/onnx-dtypes.ts');
  const { onnxForm } = await import('../../../use/trained/written-form.ts');
  const dtypes = onnxDtypes(
    names.split(',').map((name) => name.trim()),
    '--dtype',
  );
  return (opened) => onnxForm(opened, { dtypes });
}

async function ggufMaker(name: string | undefined): Promise<FormOf> {
  const { GGUF_DTYPES } = await import('../../../input/formats/encode-gguf.ts');
  const { ggufForm } = await import('../../../use/trained/written-form.ts');
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
  const { readAdapterIn } = await import('../../../input/formats/adapters/read-stored-adapter.ts');
  const { hub } = await import('../../../input/hub/node/resolve-model.ts');
  const { adapterForm } = await import('../../../use/trained/written-form.ts');
  const { locateAdapter } = await import('../../../use/trained/locate-trained.ts');
  const { writeForm } = await import('../../../use/trained/write-form.ts');
  const { findKind } = await import('../../../methods/tuners/registry.ts');
  const { folder } = await locateAdapter(hub, path);
  const stored = await readAdapterIn(hub.disk, folder);
  const adapter = { stored, kind: findKind(stored, folder) };
  writeForm(hub.disk, { folder }, adapterForm({ folder, adapter }, form), output);
}
