import { Command } from 'commander';
import { oneOf } from '../../../support/options.ts';
import { UserError } from '../../../support/user-error.ts';
import { checkpointOption } from '../flags.ts';

interface Flags {
  as: string;
  output: string;
  dtype?: string;
  uniform?: boolean;
  model?: string;
  json?: boolean;
  checkpoint?: number;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('Convert a model or an adapter to ONNX, GGUF or plain LoRA.')
    .argument(
      '<run, adapter or model>',
      'folder of a run, an adapter (PEFT or AdapterHub) or a model, or its Hub id',
    )
    .requiredOption(
      '--as <form>',
      'onnx: the merged model, for transformers.js and Optimum; gguf: an adapter for llama.cpp and Ollama; lora: a LoRA adapter with the same output, for programs without AdaLoRA',
    )
    .requiredOption('-o, --output <folder>', 'output folder, new or empty')
    .option(
      '--dtype <types>',
      'type of the weights; onnx: one or more of fp32, fp16, q8 and q4, separated by commas (default: fp32); gguf: f32, f16 or q8_0 (default: f32)',
    )
    .option('--uniform', 'with lora: pad all modules to one rank, for programs that know one rank only')
    .option(
      '--model <folder or id>',
      'with onnx and gguf: base model (default: the one that the adapter names)',
    )
    .addOption(checkpointOption())
    .option('--json', 'print the output folder as JSON')
    .action(run);
}

async function run(path: string, flags: Flags): Promise<void> {
  const { GGUF_FORM, ONNX_FORM } = await import('../../../use/trained/node/export-adapter.ts');
  const { as: form, output, json } = flags;
  const opened = [ONNX_FORM, GGUF_FORM];
  const needsModel = opened.includes(form);
  for (const key of needsModel ? (['uniform'] as const) : (['dtype', 'model'] as const)) {
    if (flags[key] === undefined) continue;
    const fault = needsModel
      ? `does not apply to --as ${form}`
      : `requires --as ${opened.join(' or ')}, got --as ${form}`;
    throw new UserError({ key: `--${key}`, fault });
  }
  if (needsModel) await writeOpened(path, flags);
  else await writeAdapter(path, flags);
  const written = form === ONNX_FORM ? 'model' : 'adapter';
  console.log(json ? JSON.stringify({ output }) : `The ${written} is in ${output}`);
}

/** Writes a form that needs the base model. */
async function writeOpened(path: string, { as: form, output, dtype, model }: Flags): Promise<void> {
  const { ONNX_FORM } = await import('../../../use/trained/node/export-adapter.ts');
  const { openTuned } = await import('../../../use/trained/node/open-tuned.ts');
  const { openingDisplay } = await import('../terminal/opening-display.ts');
  const write = form === ONNX_FORM ? await onnxWriter(dtype) : await ggufWriter(dtype);
  const opened = await openTuned(path, { model, ...openingDisplay() });
  try {
    write(opened, output);
  } finally {
    opened.model.close();
  }
}

async function onnxWriter(dtype = 'fp32') {
  const { onnxDtypes } = await import('../../../use/optimum/onnx-dtypes.ts');
  const { exportOnnx } = await import('../../../use/trained/node/export-onnx.ts');
  const names = dtype.split(',').map((name) => name.trim());
  const dtypes = onnxDtypes(names, '--dtype');
  return (...[opened, output]: Parameters<typeof exportOnnx>) => exportOnnx(opened, output, { dtypes });
}

async function ggufWriter(dtype: string | undefined) {
  const { GGUF_DTYPES } = await import('../../../input/formats/encode-gguf.ts');
  const { exportGguf } = await import('../../../use/trained/node/export-gguf.ts');
  const { holds, is } = oneOf(...GGUF_DTYPES);
  if (dtype !== undefined && !holds(dtype))
    throw new UserError({ key: '--dtype', expected: is, got: `"${dtype}"` });
  const known = dtype as (typeof GGUF_DTYPES)[number] | undefined;
  return (...[opened, output]: Parameters<typeof exportGguf>) => exportGguf(opened, output, { dtype: known });
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
