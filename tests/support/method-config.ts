import { type MethodName, methodNamed } from '../../src/methods/tuners/registry.ts';
import { parseRunConfig } from '../../src/training/run/config/parse-run-config.ts';
import type { RunConfig } from '../../src/training/run/config/run-config.ts';

/** The config of a run with a method. It has Hugging Face's defaults, and a schedule in which the budget decreases. */
export function methodConfig(method: MethodName): RunConfig {
  const schema = methodNamed(method).config;
  const phases = { tinit: '10%', tfinal: '30%' };
  const own = schema && 'tinit' in schema.shape ? { [method]: phases } : {};
  const data = { train: 'train.tsv', text: 'text', label: 'label' };
  return parseRunConfig({ defaults: 'huggingface', method, ...own, data, output: 'run' }, 'test');
}
