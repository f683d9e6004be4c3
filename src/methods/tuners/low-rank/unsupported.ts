import { UserError } from '../../../support/user-error.ts';

/**
 * PEFT's settings that are not supported, with the values that mean "off". Adapters are written with all of them,
 * because PEFT expects its keys. Any other value in a file is rejected, because ignoring it would silently change the
 * result.
 */
export const INERT_DEFAULTS = {
  alora_invocation_tokens: null,
  arrow_config: null,
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  kasa_config: null,
  layer_replication: null,
  loftq_config: {},
  lora_bias: false,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: 'megatron.core',
  monteclora_config: null,
  qalora_group_size: 16,
  target_parameters: null,
  trainable_token_indices: null,
  use_bdlora: null,
  use_dora: false,
  use_qalora: false,
  velora_config: null,
} as const;

/**
 * Keys without an effect of their own. They refine `megatron_config`, `use_qalora` or `init_lora_weights`. PEFT keeps
 * those of an initialization when it converts the adapter to plain LoRA.
 */
const HARMLESS = [
  'megatron_core',
  'qalora_group_size',
  'eva_config',
  'corda_config',
  'lora_ga_config',
  'loftq_config',
];

/** Initialisations that do not change the base weights. */
const INITS = [true, false, 'gaussian', 'orthogonal', 'eva', 'mica'];
/** Initialisations that change the base weights and can be computed again from them. */
const WEIGHT_STARTS = ['pissa'];
const CONVERT =
  'Save the adapter as plain LoRA in PEFT: save_pretrained with path_initial_model_for_weight_conversion.';

/**
 * Checks that no setting of `config` that changes the mathematics is unsupported.
 *
 * @throws UserError that names the first unsupported setting
 */
export function refuseUnsupported(config: Record<string, unknown>, where: string): void {
  for (const key of Object.keys(INERT_DEFAULTS)) {
    const value = config[key];
    if (isOff(value) || HARMLESS.includes(key) || (key === 'use_dora' && config.peft_type === 'LORA'))
      continue;
    throw new UserError({
      where: `${where}: ${key}`,
      fault: `is not supported, got ${JSON.stringify(value).slice(0, 80)}`,
      hint: 'Train the adapter without it.',
      code: 'unsupported',
    });
  }
  const init = config.init_lora_weights ?? true;
  const known = config.peft_type === 'LORA' ? [...INITS, ...WEIGHT_STARTS] : INITS;
  if (known.includes(init as string)) return;
  if (init === 'loftq') {
    const { loftq_iter: rounds = 1 } = Object(config.loftq_config) as { loftq_iter?: number };
    throw new UserError({
      where: `${where}: init_lora_weights`,
      fault: `"loftq" rounds the base weights (loftq_iter: ${rounds}), and this file does not contain the rounded weights`,
      hint: 'Save the model that PEFT has rounded, name it as base_model_name_or_path, and set init_lora_weights to true.',
      code: 'unsupported',
    });
  }
  throw new UserError({
    where: `${where}: init_lora_weights`,
    fault: `must be one of ${known.join(', ')}, got ${JSON.stringify(init)}`,
    hint: `Other starts change the base weights. ${CONVERT}`,
    code: 'unsupported',
  });
}

function isOff(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false;
}
