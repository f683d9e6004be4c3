const MOST = 40;

/** Names as a sentence lists them: a file may have any number. */
export function listNames(names: readonly string[]): string {
  const more = names.length > MOST ? ` and ${names.length - MOST} more` : '';
  return `${names.slice(0, MOST).join(', ')}${more}`;
}
