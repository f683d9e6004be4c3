import { Command } from 'commander';
import { UserError } from '../../support/user-error.ts';
import { checkpointOption } from '../flags.ts';

interface Flags {
  as: string;
  output: string;
  dtype?: string;
  model?: string;
  json?: boolean;
  checkpoint?: number;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('Convert a model or an adapter to ONNX or to plain LoRA.')
    .argument(
      '<run, adapter or model>',
      'folder of a run, an adapter (PEFT or AdapterHub) or a model, or its Hub id',
    )
    .requiredOption(
      '--as <form>',
      'onnx: the merged model, for transformers.js and Optimum; lora: a LoRA adapter with the same output, for programs without AdaLoRA',
    )
    .requiredOption('-o, --output <folder>', 'output folder, new or empty')
    .option(
      '--dtype <types>',
      'with onnx: types of the weights, one or more of fp32, fp16, q8 and q4, separated by commas (default: fp32)',
    )
    .option('--model <folder or id>', 'with onnx: base model (default: the one that the adapter names)')
    .addOption(checkpointOption())
    .option('--json', 'print the output folder as JSON')
    .action(run);
}

async function run(path: string, flags: Flags): Promise<void> {
  const { ONNX_FORM } = await import('../../trained/node/export-adapter.ts');
  await (flags.as === ONNX_FORM ? writeOnnx(path, flags) : writeAdapter(path, flags));
}

async function writeOnnx(path: string, { output, dtype = 'fp32', model, json }: Flags): Promise<void> {
  const { onnxDtypes } = await import('../../optimum/onnx-dtypes.ts');
  const { exportOnnx } = await import('../../trained/node/export-onnx.ts');
  const { openTuned } = await import('../../trained/node/open-tuned.ts');
  const { openingDisplay } = await import('../terminal/opening-display.ts');
  const names = dtype.split(',').map((name) => name.trim());
  const dtypes = onnxDtypes(names, '--dtype');
  const opened = await openTuned(path, { model, ...openingDisplay() });
  try {
    exportOnnx(opened, output, { dtypes });
  } finally {
    opened.model.close();
  }
  console.log(json ? JSON.stringify({ output }) : `The model is in ${output}`);
}

async function writeAdapter(
  path: string,
  { as: form, output, json, checkpoint: _, ...ofOnnx }: Flags,
): Promise<void> {
  const [stray] = Object.keys(ofOnnx);
  if (stray) throw new UserError({ key: `--${stray}`, fault: `requires --as onnx, got --as ${form}` });
  const { readAdapter } = await import('../../formats/adapters/node/adapter-folder.ts');
  const { exportAdapter } = await import('../../trained/node/export-adapter.ts');
  const { locateAdapter } = await import('../../trained/node/locate-trained.ts');
  const { kindOf } = await import('../../tuners/registry.ts');
  const { folder } = await locateAdapter(path);
  const stored = await readAdapter(folder);
  exportAdapter({ folder, adapter: { stored, kind: kindOf(stored, folder) } }, form, output);
  console.log(json ? JSON.stringify({ output }) : `The adapter is in ${output}`);
}
