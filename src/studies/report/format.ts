/** Formats a number with thousands separators, such as `12,345`, independently of the locale. */
export function counted(value: number): string {
  return `${Math.round(value)}`.replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * Formats a number with about three significant digits. Integers keep all digits. Very small and very large numbers get
 * a power of ten.
 */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return minus(counted(value));
  const size = Math.abs(value);
  if (size >= 1000) return size < 1e7 ? minus(counted(value)) : minus(value.toExponential(1));
  if (size < 1e-3) return minus(value.toExponential(1));
  return minus(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : size >= 0.1 ? 3 : 4));
}

/** Formats a score with three decimals. */
export function score(value: number): string {
  return Number.isFinite(value) ? minus(value.toFixed(3)) : '–';
}

/** Formats a number with its noun: `1 row`, `1,200 rows`. The plural ends in "s". */
export function countedNoun(value: number, noun: string): string {
  return `${counted(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Formats seconds as `1:02:03 h`, `2:03 min` or `12.3 s`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${clockTime(seconds)} ${Math.round(seconds) < 3600 ? 'min' : 'h'}`;
}

/** Formats seconds as `1:02:03` or `2:03`. */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = (value: number) => `${value}`.padStart(2, '0');
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(rest)}` : `${minutes}:${padded(rest)}`;
}

/** Formats a value of a config. */
export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The text with a capital first letter. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function minus(text: string): string {
  return text.replace('-', '−');
}
