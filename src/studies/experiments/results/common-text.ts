import type { Settings } from '../settings.ts';

/** The main settings that all rows have in common, as a sentence. Empty if they have none in common. */
export function commonText(common: Settings): string {
  const parts = [...trainingParts(common), ...lengthParts(common)];
  return parts.length > 0 ? `All rows: ${parts.join(', ')}.` : '';
}

function trainingParts(common: Settings): string[] {
  const part = (key: string, words: (value: number) => string) => {
    const value = common[`training.${key}`] as number | undefined;
    return value === undefined ? [] : [words(value)].filter((text) => text !== '');
  };
  const steps = common['training.max_steps'];
  return [
    ...part('max_steps', (count) => (count > 0 ? `${count} steps` : '')),
    // `max_steps` overrides the epochs.
    ...(steps === -1
      ? part('num_train_epochs', (count) => `${count} ${count === 1 ? 'epoch' : 'epochs'}`)
      : []),
    ...part('per_device_train_batch_size', (size) => `batch size ${size}`),
    ...part('gradient_accumulation_steps', (count) => (count > 1 ? `${count} batches per step` : '')),
    ...part('learning_rate', (rate) => `learning rate ${rate}`),
    ...part('lr_scheduler_type', (name) => `${name} schedule`),
    ...warmupParts(common),
    ...part('weight_decay', (decay) => `weight decay ${decay}`),
  ];
}

/** `warmup_steps` overrides `warmup_ratio`. */
function warmupParts(common: Settings): string[] {
  const { 'training.warmup_steps': steps, 'training.warmup_ratio': ratio } = common;
  if (typeof steps !== 'number') return [];
  if (steps > 0) return [`${steps} warm-up steps`];
  if (typeof ratio !== 'number') return [];
  return [ratio > 0 ? `warm-up for ${Number((100 * ratio).toPrecision(6))} % of the steps` : 'no warm-up'];
}

/** The limits of texts: `max_length`, and those of sources and targets. */
function lengthParts(common: Settings): string[] {
  return Object.entries(common).flatMap(([key, value]) => {
    const limit = /^data\.(max_(\w+_)?length)$/.exec(key)?.[1];
    return limit === undefined ? [] : [`${limit} ${value}`];
  });
}
