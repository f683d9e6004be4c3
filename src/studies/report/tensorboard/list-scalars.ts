import type { TrainEvent } from '../../../training/run/events.ts';

export interface Scalar {
  tag: string;
  value: number;
}

/**
 * The scalars of an event in TensorBoard. Tags are those of Hugging Face's trainer (`train/loss`, `eval/accuracy`).
 * Values that it lacks have `adalora/…`, and by module `ranks/…` and `orthogonality/…`.
 */
export function listScalars(event: TrainEvent): Scalar[] {
  return Object.entries(namedValues(event))
    .filter(([, value]) => Number.isFinite(value))
    .map(([tag, value]) => ({ tag, value }));
}

function namedValues(event: TrainEvent): Record<string, number> {
  switch (event.type) {
    case 'step':
      return {
        'train/loss': event.loss,
        'train/grad_norm': event.grad_norm,
        'train/gradient_noise_scale': event.gradient_noise_scale ?? Number.NaN,
        'train/learning_rate': event.learning_rate,
        'train/samples_per_second': event.examples_per_second,
        'adalora/budget': event.budget ?? Number.NaN,
        'adalora/orthogonality': event.regularizer ?? Number.NaN,
      };
    case 'evaluation':
      return Object.fromEntries(
        Object.entries(event).flatMap(([name, value]) =>
          name.startsWith('eval_') ? [[name.replace('eval_', 'eval/'), Number(value)]] : [],
        ),
      );
    case 'allocation':
      return {
        'adalora/threshold': event.threshold,
        ...Object.fromEntries(Object.entries(event.ranks).map(([module, rank]) => [`ranks/${module}`, rank])),
      };
    case 'orthogonality':
      return Object.fromEntries(
        Object.entries(event.modules).flatMap(([module, [ofB, ofA]]) => [
          [`orthogonality/${module}.B`, ofB],
          [`orthogonality/${module}.A`, ofA],
        ]),
      );
    case 'finish':
      return { 'train/train_runtime': event.train_runtime };
    default:
      return {};
  }
}
