import type { Prediction } from '../prediction.ts';

/** A prediction for people: `spam, 99.3 %`; of several labels each with its own; a score as it is. */
export function describePrediction({ label, probabilities }: Prediction, labels: readonly string[]): string {
  if (typeof label === 'number') return `${label}`;
  const shown = (name: string) => `${name}, ${percent(probabilities?.[labels.indexOf(name)] ?? Number.NaN)}`;
  if (typeof label === 'string') return shown(label);
  return label.length > 0 ? label.map(shown).join('; ') : 'none of the labels';
}

/** No rounding makes it certain. */
function percent(probability: number): string {
  if (probability >= 0.9995) return 'more than 99.9 %';
  return `${(100 * probability).toFixed(1)} %`;
}
