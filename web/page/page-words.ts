/** Keys of a config, by the fields of the page that set them. */
const FIELDS = { 'training.num_train_epochs': 'Times through the rows' } as const;

/** A sentence about a run in which keys of a config are replaced by the page's fields. */
export function pageWords(sentence: string): string {
  return Object.entries(FIELDS).reduce((text, [key, field]) => text.replaceAll(key, `“${field}”`), sentence);
}
