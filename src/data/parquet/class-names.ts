/** Names of the classes that a column numbers, by column: `ClassLabel` features of Hugging Face's data sets. */
export type ColumnClasses = Readonly<Record<string, readonly string[]>>;

/** The classes that a parquet file knows of its columns, in the `huggingface` entry of its metadata. */
export function classesOf(entries: readonly { key: string; value?: string }[] | undefined): ColumnClasses {
  const text = entries?.find(({ key }) => key === 'huggingface')?.value;
  if (text === undefined) return {};
  let features: unknown;
  try {
    features = JSON.parse(text)?.info?.features;
  } catch {
    return {};
  }
  return Object.fromEntries(
    Object.entries(Object(features)).flatMap(([column, feature]) => {
      const names = namesIn(feature);
      return names ? [[column, names]] : [];
    }),
  );
}

/**
 * Of a class label, or of a list of them: `{names: [...], _type: ClassLabel}`, or a card's `{class_label: {names: {0: ...}}}`.
 * Undefined where a number has no name of its own: then classes stay numbers.
 */
export function namesIn(feature: unknown): readonly string[] | undefined {
  const { _type, names, class_label, feature: inner } = Object(Array.isArray(feature) ? feature[0] : feature);
  if (inner !== undefined) return namesIn(inner);
  const found = _type === 'ClassLabel' ? names : Object(class_label).names;
  // By number: of names with gaps between their numbers the second may be the third class's.
  const list = Array.isArray(found) ? found : Object.keys(Object(found)).map((_, id) => found[id]);
  const areNames = list.length > 0 && list.every((name) => typeof name === 'string');
  // Two classes of one name would be one.
  return areNames && new Set(list).size === list.length ? list : undefined;
}

/** A number of a class as its name, also in lists; -1 is no label (GLUE's test sets). */
export function nameClass(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => nameClass(one, names));
  if (typeof value !== 'number' && typeof value !== 'bigint') return value;
  return names[Number(value)] ?? (Number(value) === -1 ? null : value);
}
