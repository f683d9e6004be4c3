const MAX = 40;

/** Lists names in a sentence. Long lists are truncated, because a file can have any number of names. */
export function listNames(names: readonly string[]): string {
  const more = names.length > MAX ? ` and ${names.length - MAX} more` : '';
  return `${names.slice(0, MAX).join(', ')}${more}`;
}
