import { Command } from 'commander';
import { oneOf } from '../../../support/options.ts';
import { UserError } from '../../../support/user-error.ts';
import type { OpenedTuned } from '../../../use/trained/node/open-tuned.ts';
import { baseModelOption, checkpointOption, jsonOption } from '../flags.ts';

interface Flags {
  as: string;
  output: string;
  dtype?: string;
  uniform?: boolean;
  model?: string;
  json?: boolean;
  checkpoint?: number;
}

/** Writes an opened model. */
type Writer = (opened: OpenedTuned, output: string) => void;

/** The forms that need the base model: what is written, and the writer for a value of `--dtype`. */
const OPENED_FORMS: Readonly<
  Record<string, { what: string; writer(dtype: string | undefined): Promise<Writer> }>
> = {
  merged: { what: 'model', writer: mergedWriter },
  onnx: { what: 'model', writer: onnxWriter },
  gguf: { what: 'adapter', writer: ggufWriter },
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
      'merged: a checkpoint of the whole model; onnx: the merged model, for transformers.js and Optimum; gguf: an adapter for llama.cpp and Ollama; lora: a LoRA adapter with the same output, for programs without AdaLoRA',
    )
    .requiredOption('-o, --output <folder>', 'output folder, new or empty')
    .option(
      '--dtype <types>',
      'type of the weights; merged: float32, float16 or bfloat16 (default: that of the base model); onnx: one or more of fp32, fp16, q8 and q4, separated by commas (default: fp32); gguf: f32, f16 or q8_0 (default: f32)',
    )
    .option('--uniform', 'with lora: pad all modules to one rank, for programs that know one rank only')
    .addOption(baseModelOption())
    .addOption(checkpointOption())
    .addOption(jsonOption())
    .action(run);
}

async function run(path: string, flags: Flags): Promise<void> {
  const { as: name, output, dtype, model, json } = flags;
  const form = OPENED_FORMS[name];
  for (const key of form ? (['uniform'] as const) : (['dtype', 'model'] as const)) {
    if (flags[key] === undefined) continue;
    const fault = form
      ? `does not apply to --as ${name}`
      : `requires --as ${Object.keys(OPENED_FORMS).join(' or ')}, got --as ${name}`;
    throw new UserError({ key: `--${key}`, fault });
  }
  if (form) await writeOpened(path, { model, output, write: await form.writer(dtype) });
  else await writeAdapter(path, flags);
  console.log(json ? JSON.stringify({ output }) : `The ${form?.what ?? 'adapter'} is in ${output}`);
}

/** Writes a form that needs the base model. */
async function writeOpened(
  path: string,
  { model, output, write }: { model?: string; output: string; write: Writer },
): Promise<void> {
  const { openTuned } = await import('../../../use/trained/node/open-tuned.ts');
  const { openingDisplay } = await import('../terminal/opening-display.ts');
  const opened = await openTuned(path, { model, ...openingDisplay() });
  try {
    write(opened, output);
  } finally {
    opened.model.close();
  }
}

async function mergedWriter(name: string | undefined): Promise<Writer> {
  const { MERGED_DTYPES, writeMerged } = await import('../../../use/trained/node/merge.ts');
  const dtype = dtypeNamed(name, MERGED_DTYPES);
  return (opened, output) => writeMerged(opened, output, { dtype });
}

async function onnxWriter(names = 'fp32'): Promise<Writer> {
  const { onnxDtypes } = await import('../../../use/optimum/onnx-dtypes.ts');
  const { exportOnnx } = await import('../../../use/trained/node/export-onnx.ts');
  const dtypes = onnxDtypes(
    names.split(',').map((name) => name.trim()),
    '--dtype',
  );
  return (opened, output) => exportOnnx(opened, output, { dtypes });
}

async function ggufWriter(name: string | undefined): Promise<Writer> {
  const { GGUF_DTYPES } = await import('../../../input/formats/encode-gguf.ts');
  const { exportGguf } = await import('../../../use/trained/node/export-gguf.ts');
  const dtype = dtypeNamed(name, GGUF_DTYPES);
  return (opened, output) => exportGguf(opened, output, { dtype });
}

/** @throws UserError for a type that the form does not have */
function dtypeNamed<T extends string>(name: string | undefined, known: readonly T[]): T | undefined {
  const { holds, is } = oneOf(...known);
  if (name === undefined || holds(name)) return name as T | undefined;
  throw new UserError({ key: '--dtype', expected: is, got: `"${name}"` });
}

async function writeAdapter(path: string, { as: form, output, uniform }: Flags): Promise<void> {
  const { readAdapter } = await import('../../../input/formats/adapters/node/adapter-folder.ts');
  const { exportAdapter } = await import('../../../use/trained/node/export-adapter.ts');
  const { locateAdapter } = await import('../../../use/trained/node/locate-trained.ts');
  const { kindOf } = await import('../../../methods/tuners/registry.ts');
  const { folder } = await locateAdapter(path);
  const stored = await readAdapter(folder);
  exportAdapter({ folder, adapter: { stored, kind: kindOf(stored, folder) } }, form, output, { uniform });
}
