import { isAbsolute } from 'node:path';
import { PROGRAM } from '../../support/program.ts';
import { taskNamed } from '../../tasks/registry.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import { aligned, shellQuoted } from './terminal/plain-text.ts';

/** Commands for using a finished run, one per line. */
export function nextSteps(config: ParsedConfig): string {
  const { output, task, data } = config;
  const { definition, settings } = readMethod(config);
  const base = definition.requiredBase?.(settings);
  const { prediction, words } = taskNamed(task);
  const run = shellQuoted([isAbsolute(output) || !output.startsWith('-') ? output : `./${output}`]);
  const isAsked = prediction?.input.line?.(data) !== undefined && !prediction.vectors;
  const use = isAsked ? `${PROGRAM} predict ${run}` : words.use(data).command.replace(' . ', ` ${run} `);
  const steps = [
    [use, isAsked ? 'predict for texts that you type' : (words.use(data).explanation ?? '')],
    [`${PROGRAM} report ${run}`, 'write a report as one HTML page'],
    [`${PROGRAM} serve ${run}${base ? ` --base_dtype ${base.dtype}` : ''}`, 'serve over HTTP'],
    [`${PROGRAM} export ${run} --as onnx -o onnx`, 'convert for transformers.js and Optimum'],
  ];
  return ['Next:', ...aligned(steps).map((step) => `  npx ${step}`)].join('\n');
}
