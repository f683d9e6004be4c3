/** Names of the page's fields, by the config keys that they set. */
const FIELDS = { 'training.num_train_epochs': 'Times through the rows' } as const;

/** Replaces the config keys in a sentence by the names of the page's fields. */
export function pageWords(sentence: string): string {
  return Object.entries(FIELDS).reduce((text, [key, field]) => text.replaceAll(key, `“${field}”`), sentence);
}
