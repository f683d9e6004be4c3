import { parseRunConfig } from '../../src/run/config/run-config.ts';
import { createMethod, type Method } from '../../src/tuners/method.ts';
import type { TunableModel } from '../../src/tuners/tuner.ts';
import type { Trajectory } from './read-case.ts';

/** PEFT's keys that a start from given values, on linear layers, makes void. */
const VOID = ['init_lora_weights', 'fan_in_fan_out'];
/** PEFT's keys that its AdaLoRA takes and does not look at. */
export const VOID_FOR_ADALORA = ['r', 'use_rslora', 'alpha_pattern'];

/** PEFT adds the heads of all its architectures to the list that it is given, and so to the trace. */
const HEADS = ['classifier', 'score', 'qa_outputs'];

/** The method of a trajectory, set up as a run's config sets it up. PEFT keeps dropped rows until it saves. */
export function trajectoryMethod(model: TunableModel, { tuner, training }: Trajectory): Method {
  const { kind, ...given } = tuner;
  const ignored = kind === 'ADALORA' ? [...VOID, ...VOID_FOR_ADALORA] : VOID;
  const settings = Object.fromEntries(Object.entries(given).filter(([key]) => !ignored.includes(key)));
  const saved = (tuner.modules_to_save ?? []).filter((name) => !HEADS.includes(name));
  if (saved.length > 0) settings.modules_to_save = saved;
  else delete settings.modules_to_save;
  const method =
    kind === 'ADALORA'
      ? { method: 'adalora', adalora: { ...settings, shrink: 'at-export' } }
      : { method: 'lora', lora: settings };
  const config = parseRunConfig(
    {
      model: '../base',
      ...method,
      data: { train: 'batches', text: 0, label: 1 },
      output: 'none',
    },
    'trace.json',
  );
  return createMethod(config, model, training.steps);
}
