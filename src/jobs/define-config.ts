import type { ConfigWithRows } from './rows-in-memory.ts';

/**
 * Returns a config as it is, for editors: they complete its keys, explain them, and mark mistakes.
 *
 * @example export default defineConfig({ data: { train: 'train.tsv', text: 'text', label: 'label' }, output: 'runs/a' })
 */
export function defineConfig(config: ConfigWithRows): ConfigWithRows {
  return config;
}
