import type { PeftAdapterConfig } from '../../formats/peft/adapter-config.ts';
import { UserError } from '../../support/user-error.ts';
import { adaLoraConfigSchema } from '../../tuners/adalora/config.ts';
import { loraConfigSchema } from '../../tuners/lora/config.ts';
import type { RunConfig } from './run-config.ts';

const METHODS = { LORA: 'lora', ADALORA: 'adalora' } as const;

/** Keys that say what an adapter is. The others say how it is trained, and are the run's own. */
const DECIDED = [
  ...[
    'target_modules',
    'exclude_modules',
    'layers_to_transform',
    'layers_pattern',
    'modules_to_save',
    'bias',
  ],
  ...['lora_alpha', 'r', 'use_rslora', 'rank_pattern', 'alpha_pattern', 'init_r', 'target_r'],
];

/**
 * The config of a run that continues an adapter: its method's section with everything that was not given taken from the
 * adapter. Gives itself back for a config that it has made.
 *
 * @throws UserError for an adapter of another method, and naming every given key that contradicts the adapter
 */
export function continuedConfig(config: RunConfig, adapter: PeftAdapterConfig): RunConfig {
  const where = `adapter: ${config.adapter}`;
  const method = METHODS[adapter.peft_type];
  if (config.method !== method) {
    const expected = `an adapter of method ${config.method}`;
    throw new UserError({ where, expected, got: adapter.peft_type, hint: `Set method: ${method}.` });
  }
  const { peft_type: _, ...theirs } = adapter;
  const known: Record<string, unknown> = theirs;
  const given: Record<string, unknown> = { ...(config.method === 'lora' ? config.lora : config.adalora) };
  const contradictions = DECIDED.filter(
    (key) => key in given && key in known && !agrees(key, given[key], known[key]),
  ).map((key) => describe(`${method}.${key}`, known[key], given[key]));
  if (contradictions.length > 0) throw new UserError(contradictions.join('\n'));
  const schema = method === 'lora' ? loraConfigSchema : adaLoraConfigSchema;
  const taken = Object.keys(schema.shape).filter((key) => key in known && !isEmpty(known[key]));
  const section = schema.safeParse({
    ...Object.fromEntries(taken.map((key) => [key, known[key]])),
    ...given,
  });
  if (section.success) return { ...config, [method]: section.data } as RunConfig;
  const problems = section.error.issues.map(({ path, message }) => `${where}: ${path.join('.')}: ${message}`);
  throw new UserError(problems.join('\n'));
}

/** PEFT keeps lists in no order, and adds the head to `modules_to_save`. */
function agrees(key: string, given: unknown, known: unknown): boolean {
  if (isEmpty(given) && isEmpty(known)) return true;
  if (key === 'modules_to_save') return asList(given).every((name) => asList(known).includes(name));
  const inOrder = (value: unknown) =>
    JSON.stringify(Array.isArray(value) ? [...value].sort() : sorted(value));
  return inOrder(given) === inOrder(known);
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isEmpty(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value as object).length === 0);
}

function describe(key: string, known: unknown, given: unknown): string {
  return new UserError({
    where: key,
    expected: `${shown(known)}, as the adapter has it`,
    got: shown(given),
    hint: 'Leave the key out.',
  }).message;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}
