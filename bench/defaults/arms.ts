import type { MethodName } from '../../src/methods/tuners/registry.ts';

/** Settings of a run, by config section. If empty, only the data are set. */
export interface Arm {
  training?: Record<string, unknown>;
  /** Settings in the method's section. */
  section?: Record<string, unknown>;
}

/** Methods that have an alpha. */
const RANKED: readonly MethodName[] = ['adalora', 'lora', 'svd_lora', 'prune_lora'];

/**
 * The settings of PEFT's examples: sequence_classification/LoRA.ipynb, and
 * conditional_generation/peft_adalora_seq2seq.py, which is its only AdaLoRA example. Both use torch's AdamW
 * (weight decay 0.01), a linear schedule, random batches, and no clipping. The second example sets tinit 200
 * and tfinal 1000 for 2,040 steps. Here, both are shares of the run.
 */
const PEFT_TRAINING = { weight_decay: 0.01, max_grad_norm: 0, group_by_length: false };
const PEFT_LORA: Arm = {
  training: {
    ...PEFT_TRAINING,
    learning_rate: 3e-4,
    per_device_train_batch_size: 32,
    num_train_epochs: 20,
    warmup_ratio: 0.06,
  },
  section: { r: 8, lora_alpha: 16, lora_dropout: 0.1 },
};
const PEFT_ADALORA: Arm = {
  training: {
    ...PEFT_TRAINING,
    learning_rate: 1e-3,
    per_device_train_batch_size: 8,
    num_train_epochs: 8,
    warmup_ratio: 0,
  },
  section: {
    init_r: 12,
    target_r: 8,
    lora_alpha: 32,
    lora_dropout: 0.1,
    tinit: '10%',
    tfinal: '49%',
    deltaT: 10,
  },
};

/**
 * Returns an arm by name: `policy`, `huggingface`, `peft`, or a point of the sweep such as
 * `lr5e-3,a32,b16,e8,w0.06`. Missing parts have the values of this example. Keys of the method's section may
 * follow (`deltaT=5`).
 */
export function armNamed(name: string, method: MethodName): Arm {
  if (name === 'policy') return {};
  if (name === 'peft') return method === 'adalora' ? PEFT_ADALORA : PEFT_LORA;
  const parts = name.split(',');
  const number = (key: string, otherwise: number) => {
    const part = parts.find((part) => new RegExp(`^${key}[\\d.]`).test(part));
    return part === undefined ? otherwise : Number(part.slice(key.length));
  };
  const given = parts
    .filter((part) => part.includes('='))
    .map((part) => part.split('='))
    .map(([key, value]) => [key, settingOf(value!)]);
  const inTraining = given.filter(([key]) => String(key).startsWith('t.'));
  return {
    training: {
      learning_rate: number('lr', 5e-3),
      per_device_train_batch_size: number('b', 16),
      num_train_epochs: number('e', 8),
      warmup_ratio: number('w', 0.06),
      ...Object.fromEntries(inTraining.map(([key, value]) => [String(key).slice(2), value])),
    },
    section: {
      ...(RANKED.includes(method) && { lora_alpha: number('a', 32) }),
      ...Object.fromEntries(given.filter((entry) => !inTraining.includes(entry))),
    },
  };
}

/** Parses a number, `false`, a list with `+` as separator, or a word. */
function settingOf(text: string): unknown {
  if (text === 'false') return false;
  if (text.endsWith('+')) return text.split('+').filter(Boolean);
  return Number.isNaN(Number(text)) ? text : Number(text);
}
