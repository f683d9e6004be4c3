const MOST = 40;

/** Names as a list in a sentence. The list is truncated, because a file can have any number of names. */
export function listNames(names: readonly string[]): string {
  const more = names.length > MOST ? ` and ${names.length - MOST} more` : '';
  return `${names.slice(0, MOST).join(', ')}${more}`;
}
